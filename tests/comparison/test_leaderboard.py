from __future__ import annotations

import pytest

from amodal.comparison.leaderboard import completion_score, intervals_overlap
from amodal.metrics import Estimate
from amodal.report.sections.completion import ColumnCompletion
from tests.report.reports import metric


def column(value: float, low: float, high: float, floor: float, better: str) -> ColumnCompletion:
    model = metric(value, low, high, floor=floor, ceiling=None, better=better)
    return ColumnCompletion(
        column="a", type="number", consensus="one draw", model=model, imputers=[], best="model"
    )


def test_completion_goes_from_the_typical_cell_to_the_hidden_one() -> None:
    halved = column(5.0, 4.0, 6.0, 10.0, "lower")
    found = completion_score([halved, column(0.7, 0.6, 0.8, 0.6, "higher")])
    assert found is not None
    assert (found.low, found.value, found.high) == pytest.approx((0.2, 0.375, 0.55))
    worse = completion_score([column(20.0, 19.0, 21.0, 10.0, "lower")])
    assert worse is not None
    assert worse.value == 0.0
    # Where the typical cell is always right, nothing can be said.
    assert completion_score([column(1.0, 1.0, 1.0, 1.0, "higher")]) is None
    assert completion_score([]) is None


def test_overlapping_intervals_are_ties() -> None:
    one = Estimate(value=0.5, low=0.4, high=0.6, rows=9)
    assert intervals_overlap(one, Estimate(value=0.7, low=0.6, high=0.8, rows=9))
    assert not intervals_overlap(one, Estimate(value=0.7, low=0.61, high=0.8, rows=9))
    assert not intervals_overlap(one, Estimate(value=0.7, rows=9))
