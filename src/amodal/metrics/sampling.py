"""Which rows a metric looks at, and how much its value would vary with other rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from amodal.batch import Batch
from amodal.metrics.estimate import Estimate

MOST_ROWS = 2_000
"""Rows that a metric looks at; more are subsampled, since neighbours and classifiers grow worse than linearly."""
_RESAMPLES = 500


def subsample(rows: int, seed: int = 0, most: int = MOST_ROWS) -> NDArray[np.int64]:
    """Up to `most` of the rows' numbers, ascending, drawn without replacement.

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
    """A statistic of rows with its 95 % interval: percentiles over rows drawn anew with replacement.

    Source: Efron, "Bootstrap methods: another look at the jackknife", Annals of Statistics 1979.

    Args:
        statistic: row numbers (n,) -> value.
        rows: how many rows there are.
        seed: of the draws.
        subsampled: handed on to the score.

    Raises:
        MetricUnavailable: the statistic is not finite.
    """
    rng = np.random.default_rng(seed)
    values = [statistic(rng.integers(0, rows, rows)) for _ in range(_RESAMPLES)]
    low, high = np.quantile(values, (0.025, 0.975))
    return Estimate(float(statistic(np.arange(rows))), rows, float(low), float(high), subsampled)


def share(hits: NDArray[np.bool_], *, subsampled: bool = False) -> Estimate:
    """The share of rows that are hits, with Wilson's 95 % interval, which is sound near 0 and 1 too.

    Source: Wilson, "Probable inference, the law of succession, and statistical inference", JASA 1927.

    Example:
        >>> score = share(np.array([True] * 10))
        >>> score.value, round(score.low, 2)
        (1.0, 0.72)
    """
    rows, mean, z = len(hits), float(np.mean(hits)), 1.959964
    centre = (mean + z**2 / (2 * rows)) / (1 + z**2 / rows)
    half = z * np.sqrt(mean * (1 - mean) / rows + z**2 / (4 * rows**2)) / (1 + z**2 / rows)
    return Estimate(mean, rows, max(0.0, float(centre - half)), min(1.0, float(centre + half)), subsampled)


def shuffled_columns(batch: Batch, seed: int = 0) -> Batch:
    """The same cells, each column's in an order of its own: the floor of what columns have to do with each other."""
    rng = np.random.default_rng(seed)
    orders = {name: rng.permutation(len(batch)) for name in batch.x}
    present = batch.present.clone()
    for index, order in enumerate(orders.values()):
        present[:, index] = batch.present[order, index]
    return Batch({name: values[orders[name]] for name, values in batch.x.items()}, present, batch.rows)


def shuffled_values(cells: Tensor, seed: int = 0) -> Tensor:
    """Cells (N, ...) of which each value is another row's: the floor of one column's fidelity.

    Each pixel, say, is as bright as often as it should be, and no picture is a picture.
    """
    values = cells.reshape(len(cells), -1).numpy()
    mixed = np.random.default_rng(seed).permuted(values, axis=0)
    return torch.from_numpy(mixed).reshape(cells.shape)
