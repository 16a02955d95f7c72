"""How close drawn pictures and sounds are to real ones, in what their judges see."""

from __future__ import annotations

import numpy as np

from amodal.metrics import frechet_distance
from benchmarks.coherence import GIVEN, Cells, Completed
from benchmarks.judges import Judges

SEEN = ("image", "speech")


def closeness(completed: Completed, whole: Cells, real: Cells, judges: Judges) -> dict[str, dict[str, float]]:
    """Frechet distances to real cells of each column: of two halves of the real ones, given one, of whole rows.

    Every distance is between half as many cells as there are rows, since few rows make it larger; a row's drawn
    cell is compared with the real rows of the other half, and the two distances are averaged.

    Args:
        completed: what was drawn of each row.
        whole: rows drawn with nothing given, as many.
        real: the rows' own cells.
        judges: whose last hidden layer is compared.
    """
    distances = {}
    for column in SEEN:
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
            "whole rows": _crosswise(seen, judges.features(column, whole[column])),
        }
    return distances


def _crosswise(real: np.ndarray, drawn: np.ndarray) -> float:
    return round((_distance(real[::2], drawn[1::2]) + _distance(real[1::2], drawn[::2])) / 2, 2)


def _distance(one: np.ndarray, other: np.ndarray) -> float:
    return round(frechet_distance(one, other).value, 2)
