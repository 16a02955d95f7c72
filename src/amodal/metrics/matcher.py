"""Likelihood ratios that two cells are of one row, learned from real rows without labels."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.kernel_approximation import Nystroem

from amodal.metrics.estimate import MetricUnavailable, need_rows
from amodal.metrics.sampling import subsample

_LEAST = 50
_LANDMARKS = 300
_VARIATES = 16
_RIDGE = 0.03
_MOST_CORRELATED = 0.98

Lift = Callable[[NDArray[Any]], NDArray[np.float64]]


@dataclass(frozen=True)
class Matcher:
    """Log ratios of the probabilities that two cells are of one row and that they are of two.

    Both cells are turned to canonical variates, of which the k-th of one correlates with the k-th of the other
    and no other: were they Gaussian, these would be the logarithms of the ratio p(given, target) / p(given) p(target).

    Attributes:
        given: vectors (N, F) -> (N, K), each variate with variance 1 over real rows.
        target: vectors (N, G) -> (N, K).
        correlations: (K,), over real rows that the variates were not found with; 0 where chance may do as much.
    """

    given: Lift
    target: Lift
    correlations: NDArray[np.float64]

    def __call__(self, given: NDArray[Any], target: NDArray[Any]) -> NDArray[np.float64]:
        """The ratios' logarithms (N, M), in nats, of each of N cells with each of M others."""
        p, q = self.given(given), self.target(target)
        r, weight = self.correlations, self._weight
        alone = self._constant - (p**2 @ (r * weight))[:, None] / 2 - (q**2 @ (r * weight))[None, :] / 2
        return np.asarray((p * weight) @ q.T + alone)

    def row_scores(self, given: NDArray[Any], target: NDArray[Any]) -> NDArray[np.float64]:
        """The ratios' logarithms (N,), in nats, of each of N cells with the one in its own row."""
        p, q = self.given(given), self.target(target)
        return np.asarray((p * q - self.correlations * (p**2 + q**2) / 2) @ self._weight + self._constant)

    @property
    def _weight(self) -> NDArray[np.float64]:
        return np.asarray(self.correlations / (1 - self.correlations**2))

    @property
    def _constant(self) -> float:
        return float(-np.log(1 - self.correlations**2).sum() / 2)


def fit_matcher(given: NDArray[Any], target: NDArray[Any], *, seed: int = 0) -> Matcher:
    """Learn to match two columns' cells from real rows, up to 2,000 of them.

    Sources: canonical correlations by kernels, Bach & Jordan, "Kernel independent component analysis", JMLR 2002,
    with Nystroem's approximation (Williams & Seeger, NeurIPS 2000), of which the ratio is that of the
    probabilistic model by Bach & Jordan, "A probabilistic interpretation of canonical correlation analysis", 2005.

    Args:
        given: (N, F), vectors of `ColumnFeatures`; a row of NaN is a missing cell, and not used.
        target: (N, G), of the same rows.
        seed: of the subsample and the kernels' landmarks.

    Raises:
        MetricUnavailable: fewer than 50 rows have both cells.
    """
    given, target = both_present(given, target)
    need_rows(len(given), _LEAST, "real rows with both cells")
    rows = np.random.default_rng(seed).permutation(subsample(len(given), seed))
    lifts = _lift(given[rows], seed), _lift(target[rows], seed)
    one, other = lifts[0](given[rows]), lifts[1](target[rows])
    half = len(rows) // 2
    axes = _canonical_axes(one[:half], other[:half])
    sides = [
        _Variates(lift, values[:half].mean(0), axis, values[half:])
        for lift, values, axis in zip(lifts, (one, other), axes, strict=True)
    ]
    correlations = np.mean(sides[0].held_out * sides[1].held_out, axis=0)
    chance = 2 / np.sqrt(len(rows) - half)
    correlations = np.where(correlations > chance, correlations.clip(max=_MOST_CORRELATED), 0.0)
    return Matcher(sides[0], sides[1], correlations)


def fit_matchers(
    vectors: Mapping[str, NDArray[Any]], *, seed: int = 0
) -> tuple[dict[tuple[str, str], Matcher], dict[tuple[str, str], str]]:
    """A matcher for each two columns of real rows, (given, target), the given being the first in the table.

    Args:
        vectors: of each column, as `column_vectors` gives them.
        seed: as in `fit_matcher`.

    Returns:
        The matchers, and the reasons of pairs that have none.
    """
    matchers, unavailable = {}, {}
    for pair in combinations(vectors, 2):
        try:
            matchers[pair] = fit_matcher(vectors[pair[0]], vectors[pair[1]], seed=seed)
        except MetricUnavailable as reason:
            unavailable[pair] = str(reason)
    return matchers, unavailable


def match_scores(
    matchers: Mapping[tuple[str, str], Matcher], vectors: Mapping[str, NDArray[Any]]
) -> NDArray[np.float64]:
    """Log ratios (N, pairs) of each row's own cells, in nats, 0 where one is missing.

    Features of a row, besides `row_vectors`, of how its columns depend on each other.
    """
    rows = len(next(iter(vectors.values())))
    scores = np.zeros((rows, len(matchers)))
    for index, ((given, target), matcher) in enumerate(matchers.items()):
        both = ~(np.isnan(vectors[given]).any(axis=1) | np.isnan(vectors[target]).any(axis=1))
        if both.any():
            scores[both, index] = matcher.row_scores(vectors[given][both], vectors[target][both])
    return scores


def both_present(given: NDArray[Any], target: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """The rows that have both cells, of vectors (N, F) and (N, G) that are NaN where a cell is missing."""
    both = ~(np.isnan(given).any(axis=1) | np.isnan(target).any(axis=1))
    return given[both], target[both]


class _Variates:
    """One side's canonical variates, standardised by rows that the axes were not found with."""

    def __init__(
        self, lift: Lift, mean: NDArray[Any], axes: NDArray[Any], held_out: NDArray[np.float64]
    ) -> None:
        self._lift, self._mean, self._axes = lift, mean, axes
        found = (held_out - mean) @ axes
        std = found.std(axis=0)
        self._centre, self._scale = found.mean(axis=0), np.where(std > 1e-9, std, 1.0)
        self.held_out = (found - self._centre) / self._scale

    def __call__(self, vectors: NDArray[Any]) -> NDArray[np.float64]:
        found = (self._lift(vectors) - self._mean) @ self._axes
        return np.asarray((found - self._centre) / self._scale)


def _lift(vectors: NDArray[Any], seed: int) -> Lift:
    """Fit features of nonlinear dependence: a Gaussian kernel as wide as the data, and the vectors themselves."""
    width = float(vectors.var(axis=0).sum()) or 1.0
    kernel = Nystroem(gamma=0.5 / width, n_components=min(_LANDMARKS, len(vectors)), random_state=seed)
    kernel.fit(vectors)
    return lambda vectors: np.hstack([kernel.transform(vectors), vectors])


def _canonical_axes(one: NDArray[Any], other: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    whitened = [_whitening(side) for side in (one, other)]
    both = [(side - side.mean(0)) @ white for side, white in zip((one, other), whitened, strict=True)]
    left, correlations, right = np.linalg.svd(both[0].T @ both[1] / len(one), full_matrices=False)
    kept = slice(min(_VARIATES, len(correlations)))
    return whitened[0] @ left[:, kept], whitened[1] @ right[kept].T


def _whitening(side: NDArray[Any]) -> NDArray[np.float64]:
    values, axes = np.linalg.eigh(np.atleast_2d(np.cov(side, rowvar=False, bias=True)))
    kept = values > 1e-9 * max(values.max(), 1e-12)
    return np.asarray(axes[:, kept] / np.sqrt(values[kept] + _RIDGE * values.mean()))
