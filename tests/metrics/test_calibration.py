from __future__ import annotations

import numpy as np
import pytest

from amodal.metrics import (
    MetricUnavailable,
    calibration,
)

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("draws", [3, 9, 19, 100])
def test_right_draws_are_calibrated(draws: int) -> None:
    rows = RNG.normal(size=(2_000, draws + 1)) * RNG.uniform(0.1, 3, (2_000, 1))
    for coverage in calibration(rows[:, 0], rows[:, 1:]):
        assert coverage.empirical.value == pytest.approx(coverage.nominal, abs=0.04)


def test_rounded_draws_are_calibrated_too() -> None:
    rows = RNG.integers(0, 3, (2_000, 20))
    for coverage in calibration(rows[:, 0], rows[:, 1:]):
        assert coverage.empirical.value == pytest.approx(coverage.nominal, abs=0.04)


def test_draws_that_are_too_sure_cover_too_little() -> None:
    rows = RNG.normal(size=(1_000, 20))
    sure, unsure = (calibration(rows[:, 0], rows[:, 1:] * factor) for factor in (0.2, 5.0))
    for one, other in zip(sure, unsure, strict=True):
        assert one.empirical.value < one.nominal - 0.2
        assert other.empirical.value > other.nominal + 0.05
    assert [coverage.nominal for coverage in sure] == pytest.approx([0.5, 0.8, 0.9])


def test_too_few_draws_are_unavailable() -> None:
    with pytest.raises(MetricUnavailable, match="at least 3 draws of each cell, and there are 2"):
        calibration(np.zeros(50), np.zeros((50, 2)))
    with pytest.raises(MetricUnavailable, match="at least 20 hidden numbers"):
        calibration(np.zeros(5), np.zeros((5, 9)))
