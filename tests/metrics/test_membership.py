from __future__ import annotations

import numpy as np
import pytest

from amodal.metrics import MetricUnavailable, membership_inference

RNG = np.random.default_rng(9)


def test_no_score_tells_rows_of_the_same_distribution() -> None:
    """The best of many useless scores is chosen, and still not above chance where it is measured."""
    found = [
        membership_inference(
            {f"score {number}": RNG.normal(size=200) for number in range(20)},
            {f"score {number}": RNG.normal(size=200) for number in range(20)},
            seed=seed,
        ).auc
        for seed in range(100, 140)
    ]
    assert np.mean([auc.value for auc in found]) == pytest.approx(0.5, abs=0.02)
    assert np.mean([auc.interval[0] <= 0.5 <= auc.interval[1] for auc in found]) > 0.85


def test_the_score_that_tells_training_rows_is_found() -> None:
    training = {"row": RNG.normal(size=300), "name": RNG.normal(1.0, size=300)}
    heldout = {"row": RNG.normal(size=200), "name": RNG.normal(size=200)}
    found = membership_inference(training, heldout)
    assert found.score == "name"
    # Two normals of distance 1 are told apart in Phi(1 / sqrt(2)) of pairs.
    assert found.auc.value == pytest.approx(0.76, abs=0.08)
    assert found.auc.interval[0] > 0.6
    assert membership_inference(training, training).auc.value == pytest.approx(0.5, abs=0.12)


def test_scores_that_rows_lack_are_left_out() -> None:
    training = {"row": RNG.normal(size=100), "rare": np.full(100, np.nan)}
    heldout = {"row": RNG.normal(size=100), "rare": np.full(100, np.nan)}
    assert membership_inference(training, heldout).score == "row"
    with pytest.raises(MetricUnavailable, match="no likelihood is known"):
        membership_inference({"rare": training["rare"]}, {"rare": heldout["rare"]})
    with pytest.raises(MetricUnavailable, match="at least 20 training and held-out rows in a half"):
        membership_inference({"row": training["row"][:30]}, heldout)
