"""Frechet distances of drawn images and sounds to real ones, in the features of a digit classifier."""

from __future__ import annotations

import numpy as np

from amodal.metrics import frechet_distance
from benchmarks.coherence import GIVEN, Cells, Completed
from benchmarks.judges import Judges

MEDIA = ("image", "speech")


def closeness(
    completed: Completed, unconditional: Cells, real: Cells, judges: Judges
) -> dict[str, dict[str, float]]:
    """Frechet distances of each media column to its real cells.

    "real halves": between two halves of the real cells; "given": of cells drawn given one column; "whole rows": of
    unconditional rows. Each is between half as many cells as there are rows, as the distance depends on the number of
    cells; drawn cells are compared with the real rows of the other half, and the two distances are averaged.

    Args:
        completed: cells drawn for each row.
        unconditional: as many rows drawn with nothing given.
        real: the rows' real cells.
        judges: classifiers whose last hidden layer gives the features.
    """
    distances = {}
    for column in MEDIA:
        seen = judges.features(column, real[column])
        given = {
            name: _crosswise(seen, judges.features(column, completed[(name,)][column]))
            for (name,) in GIVEN
            if name not in (column, "digit")
        }
        distances[column] = {
            "real halves": _distance(seen[::2], seen[1::2]),
            "given": round(float(np.mean(list(given.values()))), 2),
            **{f"given {name}": distance for name, distance in given.items()},
            "whole rows": _crosswise(seen, judges.features(column, unconditional[column])),
        }
    return distances


def _crosswise(real: np.ndarray, drawn: np.ndarray) -> float:
    return round((_distance(real[::2], drawn[1::2]) + _distance(real[1::2], drawn[::2])) / 2, 2)


def _distance(one: np.ndarray, other: np.ndarray) -> float:
    return round(frechet_distance(one, other).value, 2)
