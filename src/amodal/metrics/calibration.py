"""Calibration of draws of numbers: how often their central intervals contain the real one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amodal.metrics.estimate import Estimate, MetricUnavailable, need_rows
from amodal.metrics.sampling import proportion, subsample

_LEAST = 20
_LEVELS = (0.5, 0.8, 0.9)


@dataclass(frozen=True)
class IntervalCoverage:
    """Coverage of a central interval of the draws.

    Attributes:
        nominal: the interval's exact level between two order statistics, 0 to 1.
        empirical: share of real numbers in it. Less than nominal: overconfident draws; more: underconfident.
    """

    nominal: float
    empirical: Estimate


def calibration(truth: NDArray[Any], draws: NDArray[Any], *, seed: int = 0) -> tuple[IntervalCoverage, ...]:
    """Coverage of the intervals of k draws about 50, 80 and 90 % wide.

    Draws from the right distribution and the number itself are exchangeable: between the i-th lowest and the
    i-th highest of k draws it lies in (k + 1 - 2 i) / (k + 1) of rows. Ties are broken at random.

    Sources: Hamill, "Interpretation of rank histograms for verifying ensemble forecasts", 2001; Gneiting, Balabdaoui
    & Raftery, "Probabilistic forecasts, calibration and sharpness", JRSS B 2007.

    Args:
        truth: (N,), the hidden numbers.
        draws: (N, k), completions of each.
        seed: of the subsample of up to 2,000 rows and of ties.

    Returns:
        Those of the three intervals that k draws can resolve, the narrowest first.

    Raises:
        MetricUnavailable: fewer than 20 rows or 3 draws.
    """
    need_rows(len(truth), _LEAST, "hidden numbers")
    count = draws.shape[1]
    ranks = dict.fromkeys(round((1 - level) / 2 * (count + 1)) for level in _LEVELS)
    usable = [lowest for lowest in ranks if lowest >= 1 and count + 1 - 2 * lowest > 0]
    if count < 3 or not usable:
        raise MetricUnavailable(f"it needs at least 3 draws of each cell, and there are {count}")
    rows = subsample(len(truth), seed)
    number, drawn = truth[rows, None], draws[rows]
    below, equal = (drawn < number).sum(axis=1), (drawn == number).sum(axis=1)
    rank = below + np.random.default_rng(seed).integers(0, equal + 1)
    return tuple(
        IntervalCoverage(
            (count + 1 - 2 * lowest) / (count + 1),
            proportion((rank >= lowest) & (rank <= count - lowest), subsampled=len(rows) < len(truth)),
        )
        for lowest in usable
    )
