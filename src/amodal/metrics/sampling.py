"""Subsamples, confidence intervals, and shuffled tables as random baselines."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.stats
import torch
from numpy.typing import NDArray
from torch import Tensor

from amodal.batch import Batch
from amodal.metrics.estimate import Estimate

MOST_ROWS = 2_000
"""Rows that a metric uses; more are subsampled, since neighbours and classifiers grow worse than linearly."""
_RESAMPLES = 500


def subsample(rows: int, seed: int = 0, most: int = MOST_ROWS) -> NDArray[np.int64]:
    """Up to `most` row numbers, ascending, drawn without replacement.

    Example:
        >>> subsample(3).tolist()
        [0, 1, 2]
    """
    if rows <= most:
        return np.arange(rows)
    return np.sort(np.random.default_rng(seed).choice(rows, most, replace=False))


def bootstrap(
    statistic: Callable[[NDArray[Any]], float], rows: int, *, seed: int = 0, subsampled: bool = False
) -> Estimate:
    """A statistic of rows with the 95 % percentile interval of 500 bootstrap samples, widened to contain it.

    Source: Efron, "Bootstrap methods: another look at the jackknife", Annals of Statistics 1979.

    Args:
        statistic: row numbers (n,) -> value.
        rows: sample size.
        seed: of the resampling.
        subsampled: as in `Estimate`.

    Raises:
        MetricUnavailable: the statistic is not finite.
    """
    numbers = np.arange(rows)
    found = scipy.stats.bootstrap(
        (numbers,),
        statistic,
        n_resamples=_RESAMPLES,
        vectorized=False,
        method="percentile",
        rng=np.random.default_rng(seed),
    )
    value = float(statistic(numbers))
    # Percentiles of a biased statistic, such as a distance that repeated rows make smaller, may lie beside it.
    low, high = min(value, found.confidence_interval.low), max(value, found.confidence_interval.high)
    return Estimate(value, rows, float(low), float(high), subsampled)


def proportion(hits: NDArray[np.bool_], *, subsampled: bool = False) -> Estimate:
    """The share of true entries with its 95 % Wilson score interval.

    Source: Wilson, "Probable inference, the law of succession, and statistical inference", JASA 1927.

    Example:
        >>> estimate = proportion(np.array([True] * 10))
        >>> estimate.value, round(estimate.low, 2)
        (1.0, 0.72)
    """
    found = scipy.stats.binomtest(int(hits.sum()), len(hits))
    low, high = found.proportion_ci(method="wilson")
    return Estimate(float(np.mean(hits)), len(hits), float(low), float(high), subsampled)


def shuffled_columns(batch: Batch, seed: int = 0) -> Batch:
    """The same cells, each column permuted on its own: a baseline without any dependence between columns."""
    rng = np.random.default_rng(seed)
    orders = {name: rng.permutation(len(batch)) for name in batch.x}
    present = batch.present.clone()
    for index, order in enumerate(orders.values()):
        present[:, index] = batch.present[order, index]
    return Batch({name: values[orders[name]] for name, values in batch.x.items()}, present, batch.rows)


def shuffled_values(cells: Tensor, seed: int = 0) -> Tensor:
    """Cells (N, ...) with each value, such as a pixel, permuted over rows: right marginals, no structure."""
    values = cells.reshape(len(cells), -1).numpy()
    mixed = np.random.default_rng(seed).permuted(values, axis=0)
    return torch.from_numpy(mixed).reshape(cells.shape)
