"""Scores of draws of a hidden cell: accuracy, R2, MAE, coverage, CRPS."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

CLOSE = 0.01
"""Largest difference of scores that count as equal."""


def as_label(cell: Any) -> str:
    """A cell as a label to compare: 7, "7" and "7.0" are the same.

    Example:
        >>> as_label(7), as_label("7.0"), as_label("seven")
        ('7.0', '7.0', 'seven')
    """
    try:
        return repr(float(cell))
    except ValueError:
        return str(cell)


def most_frequent(draws: Sequence[Sequence[str]]) -> list[str]:
    """Most frequent label of each row's K draws; of equally frequent ones the first drawn."""
    return [Counter(of_row).most_common(1)[0][0] for of_row in zip(*draws, strict=True)]


def r2(truth: Numbers, predicted: Numbers) -> float:
    """Coefficient of determination; for a constant truth 1 if it is predicted exactly, else 0."""
    total = np.square(truth - truth.mean()).sum()
    error = np.square(truth - predicted).sum()
    if total == 0:
        return float(error == 0)
    return float(1 - error / total)


def coverage(truth: Numbers, draws: Numbers, width: float = 0.8, seed: int = 0) -> float:
    """Share of rows whose truth lies in the central interval of the draws; `width` for calibrated draws.

    The truth's rank among its K draws, spread evenly over the K + 1 places that it may have (and over those of
    draws that equal it), is uniform where draws are right, whatever K is and however many cells are equal.

    Source: Czado, Gneiting & Held, "Predictive model assessment for count data", Biometrics 2009.

    Args:
        truth: (N,).
        draws: (N, K).
        width: probability of the interval.
        seed: seed of the rank among equal draws.
    """
    below, equal = (draws < truth[:, None]).sum(1), (draws == truth[:, None]).sum(1)
    generator = np.random.default_rng(seed)
    place = (below + generator.uniform(0, 1, len(truth)) * (equal + 1)) / (draws.shape[1] + 1)
    return float((np.abs(place - 0.5) <= width / 2).mean())


def crps(truth: Numbers, draws: Numbers) -> float:
    """The continuous ranked probability score, in the truth's unit: the mean absolute error of a single draw.

    Unbiased in the number of draws: E|X - y| less half of E|X - X'| over pairs of different draws.

    Source: Gneiting & Raftery, "Strictly proper scoring rules, prediction, and estimation", JASA 2007; the fair
    estimate is of Ferro, "Fair scores for ensemble forecasts", 2014.

    Args:
        truth: (N,).
        draws: (N, K).
    """
    count = draws.shape[1]
    error = np.abs(draws - truth[:, None]).mean(1)
    if count == 1:
        return float(error.mean())
    ordered = np.sort(draws, axis=1)
    # The sum of |X_i - X_j| over all pairs i < j.
    differences = ordered @ (2 * np.arange(count) - count + 1)
    return float((error - differences / (count * (count - 1))).mean())


def share(score: float, base: float, best: float) -> float:
    """Position of a score between the base, 0, and the best rival, 1; clipped to [-1, 1].

    Clipped at 1, so that no column makes up for another. Where no rival beats the base by `CLOSE`, it is 1 for a score
    as good as the base, and otherwise the negative difference from the base.
    """
    gain = best - base
    if gain < CLOSE:
        return 1.0 if as_good(score, base) else max(-1.0, score - base)
    return float(np.clip((score - base) / gain, -1.0, 1.0))


def as_good(score: float, best: float) -> bool:
    """True for a score that is better than another, or within `CLOSE` of it."""
    return score >= best - CLOSE - 1e-9


def number_scores(truth: Numbers, draws: Numbers) -> dict[str, float]:
    """All scores of a number's draws (N, K).

    Returns:
        "score", the R2 of the draws' mean; "score, infinite draws", an estimate of what it would be with infinitely
        many, since a mean of K draws errs by a K-th of their variance more; "mae" of their median; "coverage"; "crps".
    """
    count = draws.shape[1]
    noise = draws.var(axis=1, ddof=1).mean() / count if count > 1 else 0.0
    score, variance = r2(truth, draws.mean(1)), truth.var()
    return {
        "score": score,
        "score, infinite draws": score + float(noise / variance) if variance else score,
        "mae": float(np.abs(truth - np.median(draws, axis=1)).mean()),
        "coverage": coverage(truth, draws),
        "crps": crps(truth, draws),
    }
