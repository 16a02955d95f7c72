from __future__ import annotations

import time

import pytest

from amodal.errors import UsageError
from amodal.training import Budget, parse_duration


@pytest.mark.parametrize(
    ("limit", "seconds"),
    [("90s", 90), ("5m", 300), ("1h30m", 5400), (2.5, 2.5), ("1.5h", 5400), (None, None)],
)
def test_limits_are_read(limit: str | float | None, seconds: float | None) -> None:
    assert parse_duration(limit) == seconds


@pytest.mark.parametrize("limit", ["soon", "5", "5 m x", "", "0s", -1, "m5"])
def test_others_are_refused(limit: str | float) -> None:
    with pytest.raises(UsageError):
        parse_duration(limit)


def test_the_nearer_end_counts() -> None:
    budget = Budget(epochs=10, seconds=100.0, started=time.monotonic() - 50)
    assert budget.fraction(2) == pytest.approx(0.5, abs=0.01)
    assert budget.fraction(9) == pytest.approx(0.9)
    assert budget.seconds_left(2) == pytest.approx(50, abs=1)
    assert Budget(epochs=4).seconds_left(0) is None


def test_what_an_earlier_run_spent_counts() -> None:
    assert Budget(epochs=10, seconds=100.0, spent=80.0).fraction(0) == pytest.approx(0.8, abs=0.01)
