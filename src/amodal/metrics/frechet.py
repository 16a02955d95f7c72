"""The Frechet distance between real and generated cells."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from amodal.metrics.estimate import Estimate, need_both
from amodal.metrics.sampling import MOST_ROWS, subsample

_LEAST = 10


def frechet_distance(real: NDArray[Any], generated: NDArray[Any], *, seed: int = 0) -> Estimate:
    """Frechet distance of two sets of vectors as Gaussians: 0 for the same, without upper bound.

    Of vectors of `ColumnFeatures`, the mean of real cells repeated is at distance 1. Few rows make it larger:
    only distances of as many rows compare, and both sides are cut to as many.

    Source: Heusel et al., "GANs trained by a two time-scale update rule converge to a local Nash equilibrium",
    NeurIPS 2017, there of Inception's features.

    Args:
        real: (N, F).
        generated: (M, F).
        seed: of the subsample of up to 2,000 rows of each.

    Raises:
        MetricUnavailable: either has fewer than 10 rows.
    """
    rows = min(need_both(real, generated, _LEAST, "cells"), MOST_ROWS)
    one, other = (vectors[subsample(len(vectors), seed, rows)] for vectors in (real, generated))
    distance = gaussian_frechet(one.mean(0), _covariance(one), other.mean(0), _covariance(other))
    return Estimate(distance, rows, subsampled=max(len(real), len(generated)) > rows)


def gaussian_frechet(
    mean: NDArray[Any], covariance: NDArray[Any], other_mean: NDArray[Any], other_covariance: NDArray[Any]
) -> float:
    """The squared 2-Wasserstein distance of two Gaussians in F dimensions, in closed form.

    The trace of (A B)^(1/2) is the sum of roots of the eigenvalues of A^(1/2) B A^(1/2), which is symmetric:
    stable even where a covariance is singular, as it is of fewer rows than dimensions.

    Source: Dowson & Landau, "The Frechet distance between multivariate normal distributions", Journal of
    Multivariate Analysis 1982.

    Example:
        >>> gaussian_frechet(np.zeros(1), np.eye(1), np.full(1, 3.0), 4 * np.eye(1))
        10.0
    """
    values, axes = np.linalg.eigh(covariance)
    root = (axes * np.sqrt(values.clip(0))) @ axes.T
    cross = np.sqrt(np.linalg.eigvalsh(root @ other_covariance @ root).clip(0)).sum()
    distance = np.square(mean - other_mean).sum() + np.trace(covariance + other_covariance) - 2 * cross
    return max(0.0, float(distance))


def _covariance(vectors: NDArray[Any]) -> NDArray[np.float64]:
    return np.atleast_2d(np.cov(vectors, rowvar=False))
