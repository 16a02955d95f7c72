"""Matching accuracy: whether the cells of a row belong together, without labels."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amodal.metrics.estimate import Estimate, MetricUnavailable, need_rows
from amodal.metrics.matcher import Matcher, both_present
from amodal.metrics.sampling import MOST_ROWS, bootstrap, subsample

_LEAST = 20


@dataclass(frozen=True)
class PairMatching:
    """Matching accuracy of two columns.

    Attributes:
        generated: of generated rows, or of real given cells with generated targets.
        real: of real rows that the matcher was not fitted to, the ceiling.
        shuffled: of these rows with another row's target each, the floor, near 0.5.
    """

    generated: Estimate
    real: Estimate
    shuffled: Estimate

    @property
    def is_informative(self) -> bool:
        """True where the columns of real rows match beyond chance; other pairs cannot measure a model."""
        return self.real.low is not None and self.real.low > 0.5

    @property
    def relative(self) -> float:
        """The generated rows' part of the way from chance, 0, to real rows, 1; only where `is_informative`."""
        return (self.generated.value - 0.5) / (self.real.value - 0.5)


Pair = tuple[NDArray[Any], NDArray[Any]]


def matching_accuracy(matcher: Matcher, pair: Pair, *, seed: int = 0) -> Estimate:
    """Share of targets of other rows that a given cell matches less well than its own row's: 0.5 by chance.

    Below 1 for real rows too, of which several may have the same target. One target repeated has 0.5.

    Source: two-alternative forced choice (Green & Swets, "Signal detection theory and psychophysics", 1966), by
    the matcher of `fit_matcher`.

    Args:
        matcher: of the two columns, fitted to real rows.
        pair: vectors (N, F) and (N, G) of the given and the target cells; rows of NaN are missing cells.
        seed: of the subsample of up to 2,000 rows and of the interval.

    Raises:
        MetricUnavailable: fewer than 20 rows have both cells.
    """
    given, target = both_present(*pair)
    need_rows(len(given), _LEAST, "rows with both cells")
    rows = subsample(len(given), seed)
    # Each target once, so that the same one has the same score to the last bit.
    distinct, place = np.unique(target[rows], axis=0, return_inverse=True)
    scores = matcher(given[rows], distinct)[:, place]
    own = np.diagonal(scores)[:, None]
    # A difference by rounding alone is a tie: the same target repeated must not win.
    ties = np.isclose(scores, own, rtol=1e-9, atol=1e-9)
    wins = np.where(ties, 0.5, scores < own)
    preferred = (wins.sum(axis=1) - 0.5) / (len(rows) - 1)
    return bootstrap(
        lambda drawn: float(preferred[drawn].mean()), len(rows), seed=seed, subsampled=len(given) > MOST_ROWS
    )


def pair_matching(matcher: Matcher, generated: Pair, heldout: Pair, *, seed: int = 0) -> PairMatching:
    """Matching accuracy of generated rows, of real held-out rows and of these shuffled.

    Args:
        matcher: of the two columns, fitted to other real rows.
        generated: vectors (N, F) and (N, G) of given and target cells.
        heldout: those of real rows, (M, F) and (M, G).
        seed: of subsamples, shuffling and intervals.

    Raises:
        MetricUnavailable: either has fewer than 20 rows with both cells.
    """
    given, target = both_present(*heldout)
    return PairMatching(
        generated=matching_accuracy(matcher, generated, seed=seed),
        real=matching_accuracy(matcher, (given, target), seed=seed),
        shuffled=matching_accuracy(matcher, (given, _cycled(target, seed)), seed=seed),
    )


def mean_matching(pairs: Iterable[PairMatching]) -> PairMatching:
    """Mean over the informative pairs of columns.

    Raises:
        MetricUnavailable: no pair is informative.
    """
    informative = [pair for pair in pairs if pair.is_informative]
    if not informative:
        raise MetricUnavailable("no two columns of real rows match beyond chance")
    return PairMatching(
        *(
            mean_estimate([getattr(pair, which) for pair in informative])
            for which in ("generated", "real", "shuffled")
        )
    )


def mean_estimate(estimates: Iterable[Estimate]) -> Estimate:
    """Mean of estimates on the same rows.

    The mean of their intervals' ends is a conservative interval, too wide rather than too narrow.
    """
    each = list(estimates)
    value, low, high = np.mean([(one.value, *one.interval) for one in each], axis=0).tolist()
    return Estimate(value, min(one.rows for one in each), low, high, any(one.subsampled for one in each))


def lowest_estimate(estimates: Iterable[Estimate]) -> Estimate:
    """The lowest of estimates on the same rows.

    The lowest of their intervals' lower ends and the lowest of the upper ends contain it, as each interval contains its
    own estimate.

    Example:
        >>> found = lowest_estimate([Estimate(0.5, 40, 0.1, 0.9), Estimate(0.4, 40, 0.3, 0.6)])
        >>> found.value, found.interval
        (0.4, (0.1, 0.6))
    """
    each = list(estimates)
    value, low, high = np.min([(one.value, *one.interval) for one in each], axis=0).tolist()
    return Estimate(value, min(one.rows for one in each), low, high, any(one.subsampled for one in each))


def _cycled(cells: NDArray[Any], seed: int) -> NDArray[Any]:
    """Each row's cells in another row: a cycle through all rows in random order."""
    order = np.random.default_rng(seed).permutation(len(cells))
    shuffled = np.empty_like(cells)
    shuffled[order] = cells[np.roll(order, 1)]
    return shuffled
