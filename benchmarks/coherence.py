"""Is what is drawn the digit that is given? The same questions put to any model of the demo table."""

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
LEAST_ACCURACY = 0.95

Cells = Mapping[str, list]
"""Column -> cells, one a row."""
Completed = Mapping[tuple[str, ...], Cells]
"""The columns that were given -> what was drawn."""


def trusted_judges(
    folder: Path, heldout: pd.DataFrame, *, digits: pd.Series | None = None
) -> tuple[Judges, dict[str, float]]:
    """The judges of a table of digits, and the share of real held-out cells on which each is right.

    Exits with code 1 if one is right too rarely.

    Args:
        folder: of the table.
        heldout: its rows that no model sees, with their digit.
        digits: of the training rows, where they do not stand in the table.
    """
    judges = train_judges(folder, digits=digits)
    truth = heldout["digit"].astype(int).to_numpy()
    accuracy = {
        column: round(float((judges(column, real_cells(folder, heldout, column)) == truth).mean()), 4)
        for column in ("image", "speech", "caption")
    }
    print("judges on held-out real rows:", accuracy)
    if min(accuracy.values()) < LEAST_ACCURACY:
        sys.exit(
            f"A judge is right on less than {LEAST_ACCURACY:.0%} of real rows: its verdicts mean little."
        )
    return judges, accuracy


def completions(complete: Callable[[Sequence[str], Sequence[str]], Cells]) -> Completed:
    """Draw what is judged: all other columns given one, the third of image, speech and caption given two.

    Args:
        complete: called with the columns that are given and those to draw.
    """
    completed = {}
    for given in GIVEN + PAIRS:
        targets = [name for name in JUDGED if name not in given]
        if len(given) == 2:
            targets.remove("digit")
        completed[given] = complete(given, targets)
    return completed


def conditional(completed: Completed, judges: Judges, truth: np.ndarray) -> dict[str, float]:
    """Share of drawn cells that are the given row's digit, "given > target"."""
    return {
        f"{'+'.join(given)} > {target}": round(float((judges(target, cells) == truth).mean()), 4)
        for given, drawn in completed.items()
        for target, cells in drawn.items()
    }


def means(shares: Mapping[str, float]) -> dict[str, float]:
    """The means by which methods are compared, of the shares of `conditional`."""
    single = {key: share for key, share in shares.items() if "+" not in key}
    return {
        "one given": _mean(share for key, share in single.items() if "digit" not in key),
        "one given, digit too": _mean(single.values()),
        "two given": _mean(share for key, share in shares.items() if "+" in key),
    }


def whole_rows(drawn: Cells, judges: Judges) -> dict[str, float]:
    """Share of rows drawn with nothing given whose cells agree."""
    said = np.stack([judges(column, drawn[column]) for column in JUDGED])
    return {
        "image = speech = caption": round(float((said[:3] == said[0]).all(0).mean()), 4),
        "image = speech = caption = digit": round(float((said == said[0]).all(0).mean()), 4),
    }


def _mean(shares: Iterable[float]) -> float:
    return round(float(np.mean(list(shares))), 4)
