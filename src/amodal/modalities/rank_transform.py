"""Ranks of numbers in a column, from 0 to 1, and bins of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

Numbers = NDArray[np.float64]

_QUANTILES = 256
_LAST_RANK = 1e-7
_LAST_QUANTILE = 5.199337582605575
"""The quantile of `1 - _LAST_RANK`."""
_MAX_DEVIATIONS = 20.0
_CELLS_A_BIN = 12
_MIN_CELLS = 4
_MAX_SPREAD = 0.15
"""Width of a bin in deviations of the numbers, above which it may have few of them: a tail's bins are as narrow."""
_MIN_BINS = 8
_MAX_BINS = 64


def fit_quantiles(values: Numbers) -> tuple[Numbers, Numbers]:
    """Ranks (Q,) and their quantiles (Q,) of numbers (N,).

    Every number has one where there are up to 256. Of more, 256 are at equal distances, and others at the ends, up to
    the second number: a single outlier takes the place of one number, and not of the column's last 256th.
    """
    ranks = np.linspace(0.0, 1.0, min(_QUANTILES, len(values)))
    if len(values) <= _QUANTILES:
        return ranks, np.sort(values)
    steps = 2 ** np.arange(np.ceil(np.log2((len(values) - 1) / (_QUANTILES - 1)))) / (len(values) - 1)
    ranks = np.unique(np.concatenate([ranks, steps, 1.0 - steps]))
    with np.errstate(over="ignore", invalid="ignore"):
        quantiles = np.quantile(values, ranks)
    # Interpolation overflows between numbers of both signs near the largest float, and may fall by rounding.
    quantiles = np.where(np.isfinite(quantiles), quantiles, np.quantile(values, ranks, method="nearest"))
    return ranks, np.maximum.accumulate(quantiles)


def to_ranks(values: Numbers, ranks: Numbers, quantiles: Numbers) -> Numbers:
    """Ranks (N,) of numbers (N,), the middle of its ranks for a repeated number."""
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        upwards = np.interp(values, quantiles, ranks)
        downwards = np.interp(-values, -quantiles[::-1], -ranks[::-1])
    return (upwards - downwards) / 2


def to_normal(values: Numbers, ranks: Numbers, quantiles: Numbers) -> NDArray[np.float32]:
    """Standard normal quantiles (N,) of the ranks of numbers (N,)."""
    found = to_ranks(values, ranks, quantiles).clip(_LAST_RANK, 1.0 - _LAST_RANK)
    return np.asarray(ndtri(found), np.float32)


def from_normal(normal: NDArray[np.float32], ranks: Numbers, quantiles: Numbers) -> Numbers:
    """Numbers (N,) of the standard normal quantiles (N,) of their ranks.

    A fitted quantile comes back exactly, although its rank is rounded to float32.
    """
    found = ndtr(normal.astype(np.float64))
    found = np.where(np.abs(normal) >= _LAST_QUANTILE - 1e-3, np.round(found), found)
    with np.errstate(over="ignore", invalid="ignore"):
        values = np.interp(found, ranks, quantiles)
    known, first = np.unique(to_normal(quantiles, ranks, quantiles), return_index=True)
    place = np.searchsorted(known, normal).clip(0, len(known) - 1)
    return np.where(known[place] == normal, quantiles[first[place]], values)


def without_outliers(values: Numbers) -> Numbers:
    """Numbers (N,), clipped to 20 mean deviations around the median, which the outer 256ths do not count to."""
    low, median, high = np.quantile(values, [1 / _QUANTILES, 0.5, 1 - 1 / _QUANTILES])
    inner = values[(values >= low) & (values <= high)]
    scale = np.abs(inner / 2 - median / 2).mean() * 2 if len(inner) else 0.0
    if not scale:
        return values
    with np.errstate(over="ignore"):
        return values.clip(median - _MAX_DEVIATIONS * scale, median + _MAX_DEVIATIONS * scale)


def standardise(ranks: Numbers, quantiles: Numbers) -> Numbers:
    """Quantiles (Q,) of a column, outliers clipped, over a scale in which the column has mean 0 and variance 1."""
    even = np.interp(np.linspace(0.0, 1.0, _QUANTILES), ranks, quantiles)
    clipped = without_outliers(even)
    largest = np.abs(clipped).max() or 1.0
    scaled = clipped / largest
    low, high = clipped.min() / largest, clipped.max() / largest
    return ((quantiles / largest).clip(low, high) - scaled.mean()) / (scaled.std() or 1.0)


def rank_bins(
    values: Numbers, ranks: Numbers, quantiles: Numbers
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Least and greatest ranks of bins of about equally many of the values (N,).

    Bins have fewer values in a tail. A value as frequent as a bin has a bin of its own.
    """
    distinct, counts = np.unique(values, return_counts=True)
    most = np.clip(len(values) // _CELLS_A_BIN, _MIN_BINS, _MAX_BINS)
    single = counts >= (len(values) / most if len(distinct) > most else 1)
    size = max(counts[~single].sum() / most, _MIN_CELLS)
    # Between single values, a bin ends where its values are as many as a bin's, or differ by much.
    clipped = without_outliers(values)
    largest = np.abs(clipped).max() or 1.0
    spread = _MAX_SPREAD * (clipped / largest).std() * largest
    edges, count = [0], 0
    for index, number in enumerate(counts):
        count += number
        is_wide = count >= _MIN_CELLS and distinct[index] - distinct[edges[-1]] > spread
        is_next_to_single = single[index] or single[min(index + 1, len(counts) - 1)]
        if is_next_to_single or is_wide or count >= size:
            edges.append(index + 1)
            count = 0
    if edges[-1] != len(distinct):
        edges.append(len(distinct))
    middles = np.concatenate([distinct[:1], distinct[:-1] / 2 + distinct[1:] / 2, distinct[-1:]])
    starts, ends = np.array(edges[:-1]), np.array(edges[1:])
    alone = single[starts] & (ends == starts + 1)
    lower = np.where(alone, distinct[starts], middles[starts])
    upper = np.where(alone, distinct[starts], middles[ends])
    bins = to_ranks(np.concatenate([lower, upper]), ranks, quantiles).reshape(2, -1)
    return tuple(bins[0].tolist()), tuple(bins[1].tolist())
