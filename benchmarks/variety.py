"""Variety of drawn images and sounds, in the features of a digit classifier: samples or a single mode."""

from __future__ import annotations

import numpy as np

from amodal.metrics import prdc
from benchmarks.closeness import MEDIA
from benchmarks.coherence import Cells
from benchmarks.judges import Judges

MIN_RECALL = 0.8
"""Of the recall of two halves of the real cells."""


def variety(
    draws: list[Cells], unconditional: list[Cells], real: Cells, judges: Judges
) -> dict[str, dict[str, float]]:
    """Recall, coverage and spread of several draws of each row, and of unconditional rows.

    Recall is the share of real cells that lie among drawn ones, coverage that of real cells with a drawn one nearby,
    both of half as many cells as there are rows, averaged over both halves, as that of the real ones is, and over all
    draws: that of one tells a recall of .8 to about .03. Spread is the
    mean distance of a row's draws from each other, over that of real cells of one digit: 1 where draws
    given a digit's name differ as real ones do.

    Args:
        draws: several completions of each row given its caption.
        unconditional: as many sets of rows drawn with nothing given.
        real: the rows' real cells.
        judges: classifiers whose last hidden layer gives the features.
    """
    results = {}
    for column in MEDIA:
        seen = judges.features(column, real[column])
        drawn = np.stack([judges.features(column, cells[column]) for cells in draws])
        free = np.stack([judges.features(column, cells[column]) for cells in unconditional])
        of_real, of_given, of_whole = (
            _crosswise(seen, seen[None]),
            _crosswise(seen, drawn),
            _crosswise(seen, free),
        )
        digits = judges(column, real[column])
        results[column] = {
            "recall, real halves": of_real[0],
            "recall, given": of_given[0],
            "recall, whole rows": of_whole[0],
            "coverage, real halves": of_real[1],
            "coverage, given": of_given[1],
            "coverage, whole rows": of_whole[1],
            "spread of draws": round(float(_mean_distance(drawn) / _mean_distance_within(seen, digits)), 2),
            "kinds in whole rows, of 10": round(
                _effective_number(judges(column, unconditional[0][column])), 1
            ),
        }
    return results


def too_uniform(results: dict[str, dict[str, float]]) -> list[str]:
    """The columns whose draws recall less than `MIN_RECALL` of what halves of the real cells do."""
    return [
        column
        for column, of in results.items()
        if min(of["recall, given"], of["recall, whole rows"]) < MIN_RECALL * of["recall, real halves"]
    ]


def _crosswise(real: np.ndarray, drawn: np.ndarray) -> tuple[float, float]:
    """Recall and coverage of one half's drawn cells (K, N, F) for the other half's real ones (N, F)."""
    both = [prdc(real[half::2], cells[1 - half :: 2]) for cells in drawn for half in (0, 1)]
    return (
        round(float(np.mean([of.recall.value for of in both])), 3),
        round(float(np.mean([of.coverage.value for of in both])), 3),
    )


def _mean_distance(draws: np.ndarray) -> float:
    """The mean distance of a row's draws (K, N, F) from each other."""
    pairs = [(one, other) for one in range(len(draws)) for other in range(one)]
    return float(np.mean([np.linalg.norm(draws[one] - draws[other], axis=1).mean() for one, other in pairs]))


def _mean_distance_within(cells: np.ndarray, digits: np.ndarray) -> float:
    """The mean distance of cells (N, F) of one digit from each other."""
    distances = []
    for digit in np.unique(digits):
        same = cells[digits == digit]
        between = np.linalg.norm(same[:, None] - same[None], axis=2)
        distances.append(between[np.triu_indices(len(same), 1)])
    return float(np.concatenate(distances).mean())


def _effective_number(digits: np.ndarray) -> float:
    """Effective number of digits: the exponential of their entropy."""
    shares = np.bincount(digits, minlength=10) / len(digits)
    shares = shares[shares > 0]
    return float(np.exp(-(shares * np.log(shares)).sum()))
