"""Membership inference: whether a model's own likelihoods tell training rows from held-out ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from amodal.metrics.estimate import Estimate, MetricUnavailable, need_rows
from amodal.metrics.sampling import bootstrap

_LEAST = 20


@dataclass(frozen=True)
class Membership:
    """Success of a membership inference attack.

    Attributes:
        auc: how often a training row has a higher score than a held-out one: 0.5 where nothing leaks, 1 where every
            training row is known as one.
        score: the name of the attack's score.
    """

    auc: Estimate
    score: str


def membership_inference(
    training: Mapping[str, NDArray[Any]],
    heldout: Mapping[str, NDArray[Any]],
    *,
    seed: int = 0,
    subsampled: bool = False,
) -> Membership:
    """The attack by the best of some scores, which is chosen on one half of the rows and measured on the other.

    The best of several on the same rows would be above 0.5 by chance.

    Source: the loss threshold attack of Yeom et al., "Privacy risk in machine learning: analyzing the connection to
    overfitting", CSF 2018. Attacks that train other models with and without a row, which are stronger (Carlini et al.,
    "Membership inference attacks from first principles", IEEE S&P 2022), are not made: this is a lower bound.

    Args:
        training: score -> its values (N,) for training rows, such as log-likelihoods; NaN where a row has none.
        heldout: the same scores (M,) of rows that the model was not fitted to.
        seed: of the halves and of the interval.
        subsampled: whether the rows were drawn from more.

    Raises:
        MetricUnavailable: no score has 20 rows in each half of both.
    """
    rng = np.random.default_rng(seed)
    halves = [
        np.array_split(rng.permutation(len(next(iter(scores.values()), []))), 2)
        for scores in (training, heldout)
    ]
    need_rows(
        min(len(half) for side in halves for half in side), _LEAST, "training and held-out rows in a half"
    )

    def scores_of(name: str, half: int) -> tuple[NDArray[Any], NDArray[Any]]:
        members, others = training[name][halves[0][half]], heldout[name][halves[1][half]]
        return members[np.isfinite(members)], others[np.isfinite(others)]

    parts = {name: [scores_of(name, half) for half in (0, 1)] for name in training}
    usable = {
        name: pairs
        for name, pairs in parts.items()
        if min(len(side) for pair in pairs for side in pair) >= _LEAST
    }
    if not usable:
        raise MetricUnavailable(f"no likelihood is known of {_LEAST} training and held-out rows in each half")
    best = max(usable, key=lambda name: _auc(*usable[name][0]))
    members, others = usable[best][1]
    both, count = np.concatenate([members, others]), len(members)

    def area(drawn: NDArray[Any]) -> float:
        chosen = drawn < count
        # A resample of one kind alone, of which there is hardly any, tells nothing.
        return _auc(both[drawn[chosen]], both[drawn[~chosen]]) if 0 < chosen.sum() < len(drawn) else 0.5

    return Membership(bootstrap(area, len(both), seed=seed, subsampled=subsampled), best)


def _auc(members: NDArray[Any], others: NDArray[Any]) -> float:
    """Mann & Whitney's statistic: the share of pairs in which the member has the higher score; ties are halves."""
    ranks = rankdata(np.concatenate([members, others]))[: len(members)]
    return float((ranks.mean() - (len(members) + 1) / 2) / len(others))
