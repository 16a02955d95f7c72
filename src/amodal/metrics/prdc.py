"""Precision, recall, density and coverage of generated cells, by nearest neighbours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from amodal.metrics.estimate import Estimate, need_both
from amodal.metrics.sampling import MOST_ROWS, proportion, subsample

_NEIGHBOURS = 5


@dataclass(frozen=True)
class PRDC:
    """Precision, recall, density and coverage, of balls around cells that reach to their 5th neighbour.

    Attributes:
        precision: share of generated cells within a real cell's ball; low where they look wrong.
        recall: share of real cells within a generated cell's ball; low where kinds of cells are never generated.
        density: real balls a generated cell lies in, over 5; unlike precision robust to a real outlier,
            above 1 where generated cells crowd where real ones are dense.
        coverage: share of real cells that have a generated one in their ball; unlike recall robust to a
            generated outlier.
    """

    precision: Estimate
    recall: Estimate
    density: Estimate
    coverage: Estimate


def prdc(real: NDArray[Any], generated: NDArray[Any], *, seed: int = 0) -> PRDC:
    """Precision, recall, density and coverage of generated vectors.

    Sources: Kynkaanniemi et al., "Improved precision and recall metric for assessing generative models",
    NeurIPS 2019; Naeem et al., "Reliable fidelity and diversity metrics for generative models", ICML 2020.

    Args:
        real: (N, F).
        generated: (M, F).
        seed: of the subsample of up to 2,000 rows, as many of both.

    Raises:
        MetricUnavailable: either has fewer than 12 rows.
    """
    rows = min(need_both(real, generated, 2 * (_NEIGHBOURS + 1), "cells"), MOST_ROWS)
    subsampled = max(len(real), len(generated)) > rows
    one, other = (vectors[subsample(len(vectors), seed, rows)] for vectors in (real, generated))
    distances = cdist(one, other)
    in_real = distances <= _radii(one)[:, None]
    in_generated = distances <= _radii(other)[None, :]
    return PRDC(
        precision=proportion(in_real.any(axis=0), subsampled=subsampled),
        recall=proportion(in_generated.any(axis=1), subsampled=subsampled),
        density=Estimate(float(in_real.sum(axis=0).mean() / _NEIGHBOURS), rows, subsampled=subsampled),
        coverage=proportion(in_real.any(axis=1), subsampled=subsampled),
    )


def _radii(vectors: NDArray[Any]) -> NDArray[np.float64]:
    """Distance to each one's 5th neighbour; the nearest of all is itself."""
    return np.partition(cdist(vectors, vectors), _NEIGHBOURS, axis=1)[:, _NEIGHBOURS]
