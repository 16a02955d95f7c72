"""Missingness patterns of real and of generated rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from amodal.metrics.estimate import Estimate, need_both

_LEAST = 10


@dataclass(frozen=True)
class Missingness:
    """Shares of missing cells.

    Attributes:
        real: (M, M), the share of real rows that lack both of two columns; on the diagonal that lack one.
        generated: (M, M), the same of generated rows.
        rates: mean difference of columns' rates of missing cells, 0 to 1.
        pair_rates: mean difference of the shares of rows that lack both of two columns, 0 to 1.
    """

    real: NDArray[np.float64]
    generated: NDArray[np.float64]
    rates: Estimate
    pair_rates: Estimate


def missingness(real: NDArray[np.bool_], generated: NDArray[np.bool_]) -> Missingness:
    """Compare rates of missing cells, of each column and of each two; all rows are counted.

    Source: the pattern counts of van Buuren, "Flexible imputation of missing data", 2018, section 4.1.

    Args:
        real: (N, M), true where a cell is present.
        generated: (L, M), likewise.

    Raises:
        MetricUnavailable: fewer than 10 rows of either.
    """
    rows = need_both(real, generated, _LEAST, "rows")
    both = [_both_missing(~present) for present in (real, generated)]
    differences = np.abs(both[0] - both[1])
    pairs = differences[~np.eye(len(differences), dtype=bool)]
    return Missingness(
        both[0],
        both[1],
        rates=Estimate(float(np.diagonal(differences).mean()), rows),
        pair_rates=Estimate(float(pairs.mean()) if len(pairs) else 0.0, rows),
    )


def _both_missing(missing: NDArray[np.bool_]) -> NDArray[np.float64]:
    counts = missing.astype(np.float64)
    return np.asarray(counts.T @ counts / len(missing))
