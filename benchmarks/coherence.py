"""Coherence on the demo table: the share of drawn cells that are classified as the row's digit (Shi et al. 2019)."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.judges import Judges, real_cells, train_judges

JUDGED = ("image", "speech", "caption", "digit")
GIVEN = (("image",), ("speech",), ("caption",), ("digit",))
PAIRS = (("image", "speech"), ("image", "caption"), ("speech", "caption"))
MIN_ACCURACY = 0.95

Cells = Mapping[str, list]
"""Column -> cells, one a row."""
Completed = Mapping[tuple[str, ...], Cells]
"""Given columns -> drawn cells."""


def trusted_judges(
    folder: Path, heldout: pd.DataFrame, *, digits: pd.Series | None = None
) -> tuple[Judges, dict[str, float]]:
    """Classifiers of a table of digits, and their accuracy on real held-out cells.

    Exits with code 1 where an accuracy is below `MIN_ACCURACY`.

    Args:
        folder: folder of the table.
        heldout: held-out rows, with their digit.
        digits: digits of the training rows, where the table has none.
    """
    judges = train_judges(folder, digits=digits)
    truth = heldout["digit"].astype(int).to_numpy()
    accuracy = {
        column: round(float((judges(column, real_cells(folder, heldout, column)) == truth).mean()), 4)
        for column in ("image", "speech", "caption")
    }
    print("judges on held-out real rows:", accuracy)
    if min(accuracy.values()) < MIN_ACCURACY:
        sys.exit(f"A judge is right on less than {MIN_ACCURACY:.0%} of real rows: its verdicts mean little.")
    return judges, accuracy


def completions(complete: Callable[[Sequence[str], Sequence[str]], Cells]) -> Completed:
    """Draw all other columns given one, and the third of image, speech and caption given two.

    Args:
        complete: function of the given columns and the columns to draw.
    """
    completed = {}
    for given in GIVEN + PAIRS:
        targets = [name for name in JUDGED if name not in given]
        if len(given) == 2:
            targets.remove("digit")
        completed[given] = complete(given, targets)
    return completed


def conditional(completed: Completed, judges: Judges, truth: np.ndarray) -> dict[str, float]:
    """Share of drawn cells classified as the row's digit, by "given > target"."""
    return {
        f"{'+'.join(given)} > {target}": round(float((judges(target, cells) == truth).mean()), 4)
        for given, drawn in completed.items()
        for target, cells in drawn.items()
    }


def means(shares: Mapping[str, float]) -> dict[str, float]:
    """Means of the shares of `conditional`, by which methods are compared."""
    single = {key: share for key, share in shares.items() if "+" not in key}
    return {
        "one given": _mean(share for key, share in single.items() if "digit" not in key),
        "one given, digit too": _mean(single.values()),
        "two given": _mean(share for key, share in shares.items() if "+" in key),
    }


def whole_rows(drawn: Cells, judges: Judges) -> dict[str, float]:
    """Share of unconditional rows whose cells are all classified as the same digit."""
    predicted = np.stack([judges(column, drawn[column]) for column in JUDGED])
    return {
        "image = speech = caption": round(float((predicted[:3] == predicted[0]).all(0).mean()), 4),
        "image = speech = caption = digit": round(float((predicted == predicted[0]).all(0).mean()), 4),
    }


def _mean(shares: Iterable[float]) -> float:
    return round(float(np.mean(list(shares))), 4)
