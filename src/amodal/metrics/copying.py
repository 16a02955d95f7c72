"""Copies of training rows among generated ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata
from sklearn.neighbors import NearestNeighbors

from amodal.metrics.estimate import Estimate, need_rows
from amodal.metrics.sampling import bootstrap, proportion, subsample

_LEAST = 20
_MOST_TRAINING = 20_000
_LOWEST = 0.05
_SAME = 1e-6


@dataclass(frozen=True)
class Copying:
    """Distances of generated rows to training rows, relative to those of held-out rows.

    Attributes:
        dcr_share: how often a generated row's distance to the closest training record (DCR) is below a held-out
            row's: 0.5 for rows as new as held-out ones, 1 for copies. Rows that are merely typical are near to all
            rows, and above 0.5 too, which `nndr_share` distinguishes.
        nndr_share: share of generated rows whose nearest-neighbour distance ratio (NNDR), of the nearest to the second
            nearest training row, is below that of all but 5 % of held-out rows: 0.05 for new rows, 1 for copies.
        duplicates: share of generated rows that are a training row.
        heldout_duplicates: the same of held-out rows, since a table may have the same row twice.
        nearest: integer (rows,), the nearest training row of each generated one that was compared.
    """

    dcr_share: Estimate
    nndr_share: Estimate
    duplicates: Estimate
    heldout_duplicates: Estimate
    nearest: NDArray[np.int64]


def copying(
    training: NDArray[Any],
    heldout: NDArray[Any],
    generated: NDArray[Any],
    *,
    seed: int = 0,
    subsampled: bool = False,
) -> Copying:
    """Compare the distances of generated and held-out rows to training rows.

    Sources: distance to the closest record and nearest-neighbour distance ratio, as in Zhao et al., "CTAB-GAN",
    ACML 2021; against held-out rows, Platzer & Reutterer, "Holdout-based empirical assessment of mixed-type
    synthetic data", Frontiers in Big Data 2021.

    Args:
        training: (N, F), of up to 20,000 of which the nearest are searched.
        heldout: (M, F), real rows that the model was not fitted to.
        generated: (L, F).
        seed: of the subsamples, up to 2,000 rows of the other two, and of intervals.
        subsampled: whether `training` was drawn from more.

    Raises:
        MetricUnavailable: fewer than 20 rows of any.
    """
    for rows, what in ((training, "training"), (heldout, "held-out"), (generated, "generated")):
        need_rows(len(rows), _LEAST, f"{what} rows")
    searched = subsample(len(training), seed, _MOST_TRAINING)
    compared, drawn = subsample(len(heldout), seed), subsample(len(generated), seed)
    subsampled |= len(searched) < len(training) or len(compared) < len(heldout) or len(drawn) < len(generated)
    index = NearestNeighbors(n_neighbors=2, algorithm="brute").fit(training[searched])
    own_nearest, own = _nearest(index, training[searched], generated[drawn])
    _, others = _nearest(index, training[searched], heldout[compared])
    # Each generated row against all held-out rows; ties are halves.
    ranks = rankdata(np.concatenate([own[:, 0], others[:, 0]]))[: len(own)]
    within = rankdata(own[:, 0])
    nearer = 1 - (ranks - within) / len(others)
    lowest = np.quantile(_ratios(others), _LOWEST)
    return Copying(
        dcr_share=bootstrap(
            lambda rows: float(nearer[rows].mean()), len(own), seed=seed, subsampled=subsampled
        ),
        nndr_share=proportion(_ratios(own) < lowest, subsampled=subsampled),
        duplicates=proportion(own[:, 0] <= _SAME, subsampled=subsampled),
        heldout_duplicates=proportion(others[:, 0] <= _SAME, subsampled=subsampled),
        nearest=searched[own_nearest],
    )


def _nearest(
    index: Any, training: NDArray[Any], rows: NDArray[Any]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The nearest training row (N,), and the distances (N, 2) of the two nearest."""
    found = index.kneighbors(rows, return_distance=False)
    # Measured anew: distances by scalar products are not zero for equal rows.
    distances = np.linalg.norm(rows[:, None] - training[found], axis=2)
    first = distances.argmin(axis=1)
    return found[np.arange(len(rows)), first], np.sort(distances, axis=1)


def _ratios(distances: NDArray[np.float64]) -> NDArray[np.float64]:
    # A row that is twice in training is a copy of both: 0, not 0/0.
    return np.asarray(distances[:, 0] / np.maximum(distances[:, 1], 1e-12))
