"""Results of methods made by hand."""

from __future__ import annotations

from amodal.comparison.leaderboard import MethodResult
from amodal.comparison.trial import Outcome
from amodal.metrics import Estimate


def finished(method: str, *, parameters: int = 1_000, **scores: tuple[float, float, float]) -> MethodResult:
    """A method that finished, without a report."""
    outcome = Outcome(method=method, seconds=3.0, memory=500_000_000, parameters=parameters, epochs=2)
    marks = {
        name: Estimate(value=value, low=low, high=high, rows=100)
        for name, (low, value, high) in scores.items()
    }
    return MethodResult(outcome, scores=marks)


def failed(method: str, reason: str = "memory ran out") -> MethodResult:
    return MethodResult(Outcome(method=method, failure=reason))
