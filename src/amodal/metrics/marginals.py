"""Distances between the marginal distributions of a column's real and generated numbers or labels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import wasserstein_distance

from amodal.metrics.estimate import Estimate, MetricUnavailable, need_both

_LEAST = 10


def normalized_wasserstein(real: NDArray[Any], generated: NDArray[Any]) -> Estimate:
    """1-Wasserstein distance in standard deviations of the real numbers: how far they must be moved on average.

    Source: Vallender, "Calculation of the Wasserstein distance between probability distributions on the line",
    1974, as SciPy has it.

    Args:
        real: (N,), finite.
        generated: (M,), finite.

    Raises:
        MetricUnavailable: fewer than 10 numbers, or all real ones are the same.

    Example:
        >>> normalized_wasserstein(np.arange(100.0), np.arange(100.0)).value
        0.0
    """
    rows = need_both(real, generated, _LEAST, "numbers")
    std = float(np.std(real))
    if std == 0:
        raise MetricUnavailable("all real numbers are the same")
    return Estimate(float(wasserstein_distance(real, generated)) / std, rows)


def total_variation(real: Sequence[Hashable], generated: Sequence[Hashable]) -> Estimate:
    """Total variation distance of labels, 0 to 1: the share of rows that would need another label.

    A label that only one of them has counts in full.

    Source: Levin, Peres & Wilmer, "Markov chains and mixing times", 2009, proposition 4.2.

    Raises:
        MetricUnavailable: fewer than 10 labels.

    Example:
        >>> total_variation(["cat", "dog"] * 10, ["cat", "cow"] * 10).value
        0.5
    """
    rows = need_both(real, generated, _LEAST, "labels")
    one, other = Counter(real), Counter(generated)
    differences = (abs(one[label] / len(real) - other[label] / len(generated)) for label in one | other)
    return Estimate(sum(differences) / 2, rows)
