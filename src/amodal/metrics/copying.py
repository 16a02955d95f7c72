"""Whether generated rows were copied from training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata
from sklearn.neighbors import NearestNeighbors

from amodal.metrics.estimate import Estimate, need_rows
from amodal.metrics.sampling import bootstrap, share, subsample

_LEAST = 20
_MOST_TRAINING = 20_000
_LOWEST = 0.05
_SAME = 1e-6


@dataclass(frozen=True)
class Copying:
    """How much nearer generated rows are to training rows than held-out rows are.

    Attributes:
        nearer: how often a generated row is nearer to its nearest training row than a held-out row is to its own:
            0.5 for rows as new as held-out ones, 1 for copies. Rows that are merely plain are near to all rows,
            and above 0.5 too, which `ratio` tells apart.
        ratio: share of generated rows whose distance to the nearest training row, over that to the second
            nearest, is less than that of all but 5 % of held-out rows: 0.05 for new rows, 1 for copies.
        duplicates: share of generated rows that are a training row.
        heldout_duplicates: the same of held-out rows, since a table may have the same row twice.
        nearest: integer (generated rows looked at,), each one's nearest training row.
        rows: integer, the generated rows looked at.
    """

    nearer: Estimate
    ratio: Estimate
    duplicates: Estimate
    heldout_duplicates: Estimate
    nearest: NDArray[np.int64]
    rows: NDArray[np.int64]


def copying(
    training: NDArray[Any], heldout: NDArray[Any], generated: NDArray[Any], *, seed: int = 0
) -> Copying:
    """Compare generated and held-out rows' distances to training rows.

    Sources: distance to the closest record and nearest-neighbour distance ratio, as in Zhao et al., "CTAB-GAN",
    ACML 2021; against held-out rows, Platzer & Reutterer, "Holdout-based empirical assessment of mixed-type
    synthetic data", Frontiers in Big Data 2021.

    Args:
        training: (N, F), of up to 20,000 of which the nearest are sought.
        heldout: (M, F), real rows that no model saw.
        generated: (L, F).
        seed: of the subsamples, up to 2,000 rows of the other two, and of intervals.

    Raises:
        MetricUnavailable: fewer than 20 rows of any.
    """
    for rows, what in ((training, "training"), (heldout, "held-out"), (generated, "generated")):
        need_rows(len(rows), _LEAST, f"{what} rows")
    sought = subsample(len(training), seed, _MOST_TRAINING)
    known, made = subsample(len(heldout), seed), subsample(len(generated), seed)
    cut = len(sought) < len(training) or len(known) < len(heldout) or len(made) < len(generated)
    index = NearestNeighbors(n_neighbors=2, algorithm="brute").fit(training[sought])
    own_nearest, own = _nearest(index, training[sought], generated[made])
    _, others = _nearest(index, training[sought], heldout[known])
    # Each generated row against all held-out rows; ties are halves.
    ranks = rankdata(np.concatenate([own[:, 0], others[:, 0]]))[: len(own)]
    within = rankdata(own[:, 0])
    nearer = 1 - (ranks - within) / len(others)
    lowest = np.quantile(_ratios(others), _LOWEST)
    return Copying(
        nearer=bootstrap(lambda drawn: float(nearer[drawn].mean()), len(own), seed=seed, subsampled=cut),
        ratio=share(_ratios(own) < lowest, subsampled=cut),
        duplicates=share(own[:, 0] <= _SAME, subsampled=cut),
        heldout_duplicates=share(others[:, 0] <= _SAME, subsampled=cut),
        nearest=sought[own_nearest],
        rows=made,
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
    # A row that stands twice in training is a copy of both: 0, not 0/0.
    return np.asarray(distances[:, 0] / np.maximum(distances[:, 1], 1e-12))
