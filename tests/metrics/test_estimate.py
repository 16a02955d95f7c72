from __future__ import annotations

import math
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from amodal.metrics import Estimate, Metric, MetricUnavailable, mean_estimate


def metric(value: float, ceiling: float, floor: float, **more: Any) -> Metric:
    return Metric(
        value=value, rows=9, name="coverage", ceiling=Estimate(ceiling, 9), floor=Estimate(floor, 9), **more
    )


def test_an_estimate_is_finite() -> None:
    for wrong in (math.nan, math.inf):
        with pytest.raises(MetricUnavailable, match="not finite on these 7 rows"):
            Estimate(wrong, 7)
        with pytest.raises(MetricUnavailable):
            Estimate(0.5, 7, low=wrong)


def test_a_metric_is_normalized_between_floor_and_ceiling() -> None:
    higher = metric(0.7, 0.9, 0.5, better="higher", low=0.4, high=0.8)
    assert higher.normalized == pytest.approx(0.5)
    assert higher.normalized_interval == pytest.approx((0.0, 0.75))
    lower = metric(3.0, 1.0, 5.0, better="lower", low=2.0, high=4.0)
    assert lower.normalized == pytest.approx(0.5)
    assert lower.normalized_interval == pytest.approx((0.25, 0.75))
    assert metric(7.0, 1.0, 5.0, better="lower").normalized == 0.0


def test_a_metric_that_does_not_distinguish_real_rows_is_not_normalized() -> None:
    assert metric(0.7, 0.9, 0.85, better="higher").normalized is None
    assert metric(0.7, 0.5, 0.9, better="higher").normalized is None
    assert metric(0.7, 0.9, 0.5).normalized is None
    assert Metric(value=0.7, rows=9, name="coverage", better="higher").normalized is None


def test_the_mean_has_a_conservative_interval() -> None:
    mean = mean_estimate([Estimate(0.5, 9, 0.25, 0.75), Estimate(1.0, 7, subsampled=True)])
    assert mean == Estimate(0.75, 7, 0.625, 0.875, subsampled=True)


def test_json_is_read_back_and_unknown_names_are_refused() -> None:
    adapter = TypeAdapter(Metric)
    known = metric(0.7, 0.9, 0.5, better="higher")
    assert adapter.validate_json(adapter.dump_json(known)) == known
    with pytest.raises(ValidationError, match="says"):
        adapter.validate_python({"value": 1.0, "rows": 3, "name": "coverage", "says": "more"})
