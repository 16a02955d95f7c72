"""Scores and costs of each method, and the leaderboard made of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

import numpy as np
import pandas as pd

from amodal.comparison.trial import Outcome
from amodal.metrics import Estimate, Metric
from amodal.report import Report
from amodal.report.sections.completion import ColumnCompletion

SCORES: Mapping[str, str] = {
    "overall": "overall score",
    "fidelity": "columns on their own",
    "matching_accuracy": "pairs of columns",
    "whole_rows": "whole rows",
    "completion": "completion",
    "target": "prediction of the target",
}
"""Leaderboard column -> label; higher is better."""
COSTS: Mapping[str, str] = {
    "seconds": "time to fit",
    "memory_mb": "memory",
    "parameters": "weights",
}
"""Leaderboard column -> label; lower is better."""


@dataclass(frozen=True)
class MethodResult:
    """Scores and costs of one method, or its failure.

    Attributes:
        outcome: costs of fitting, or the reason of a failure.
        report: evaluation on the held-out rows; None after a failure.
        scores: the keys of `SCORES` that could be measured.
    """

    outcome: Outcome
    report: Report | None = None
    scores: Mapping[str, Estimate] = field(default_factory=dict)

    @classmethod
    def of_report(cls, outcome: Outcome, report: Report) -> Self:
        """The scores of an evaluation."""
        scores = {
            "overall": report.summary.overall,
            "fidelity": report.summary.fidelity,
            "matching_accuracy": report.summary.matching_accuracy,
            "whole_rows": report.summary.whole_rows,
            "completion": completion_score(report.sections.get("completion", [])),
            "target": _target_score(report),
        }
        return cls(outcome, report, {name: score for name, score in scores.items() if score is not None})

    @property
    def method(self) -> str:
        """Name of the method."""
        return self.outcome.method

    @property
    def costs(self) -> dict[str, float]:
        """The keys of `COSTS` that are known."""
        memory = self.outcome.memory
        costs = {
            "seconds": self.outcome.seconds,
            "memory_mb": None if memory is None else round(memory / 1e6),
            "parameters": self.outcome.parameters,
        }
        return {name: value for name, value in costs.items() if value is not None}


def completion_score(columns: Sequence[ColumnCompletion]) -> Estimate | None:
    """Skill score of completion, a mean over columns: 0 for typical cells, 1 for the hidden cells themselves.

    The typical cell is the mean, the most frequent label or the mean tensor of a column. A column that is completed
    worse than that counts 0.
    """
    skills = [skill for column in columns if (skill := _skill(column.model)) is not None]
    if not skills:
        return None
    value, low, high = (float(np.mean(ends)) for ends in zip(*skills, strict=True))
    metrics = [column.model for column in columns]
    return Estimate(
        value=value,
        low=low,
        high=high,
        rows=max(metric.rows for metric in metrics),
        subsampled=any(metric.subsampled for metric in metrics),
    )


def _skill(metric: Metric) -> tuple[float, float, float] | None:
    """Skill score with the ends of its interval, each clipped to [0, 1]; None where the baseline is perfect."""
    perfect = 1.0 if metric.better == "higher" else 0.0
    if metric.floor is None or metric.floor.value == perfect:
        return None
    floor = metric.floor.value
    value, *ends = (
        float(np.clip((number - floor) / (perfect - floor), 0.0, 1.0))
        for number in (metric.value, *metric.interval)
    )
    return value, min(ends), max(ends)


def _target_score(report: Report) -> Estimate | None:
    """Score of the target column drawn given all other columns."""
    target = report.sections.get("target")
    drawn = [each for each in target.predictions if each.predictor == "completion"] if target else []
    return max(drawn, key=lambda prediction: len(prediction.given)).score if drawn else None


def intervals_overlap(one: Estimate, other: Estimate) -> bool:
    """True where two 95 % intervals overlap, so that these rows do not decide which score is better."""
    (low, high), (other_low, other_high) = one.interval, other.interval
    return max(low, other_low) <= min(high, other_high)


def rank(results: Sequence[MethodResult], score: str) -> list[MethodResult]:
    """The results that have this score, the best first."""
    return sorted(
        (result for result in results if score in result.scores),
        key=lambda result: result.scores[score].value,
        reverse=True,
    )


def rank_overall(results: Sequence[MethodResult]) -> list[MethodResult]:
    """All results: the best overall score first, then those without one, failures last."""
    ranking = rank(results, "overall")
    others = [result for result in results if result not in ranking]
    return ranking + sorted(others, key=lambda result: bool(result.outcome.failure))


def leaderboard(results: Sequence[MethodResult]) -> pd.DataFrame:
    """One row a method, the best first; `X_low` and `X_high` are the 95 % interval of score `X`.

    Columns: `method`; `overall`, `fidelity`, `matching_accuracy`, `whole_rows`, `completion`, 0 to 1; `target`, an
    accuracy or R2, where a target was named; `seconds` and `memory_mb` of fitting; `parameters`; `epochs`; `failure`.
    """
    scores = [
        name for name in SCORES if name != "target" or any("target" in result.scores for result in results)
    ]
    rows = []
    for result in rank_overall(results):
        row: dict[str, float | str | None] = {"method": result.method}
        for name in scores:
            score = result.scores.get(name)
            row[name] = None if score is None else round(score.value, 4)
            row[f"{name}_low"] = None if score is None or score.low is None else round(score.low, 4)
            row[f"{name}_high"] = None if score is None or score.high is None else round(score.high, 4)
        row |= {name: result.costs.get(name) for name in COSTS}
        rows.append(row | {"epochs": result.outcome.epochs, "failure": result.outcome.failure or None})
    table = pd.DataFrame(rows)
    integers = ["memory_mb", "parameters", "epochs"]
    floats = [name for name in table.columns if name not in ("method", "failure", *integers)]
    return table.astype(dict.fromkeys(floats, "float64") | dict.fromkeys(integers, "Int64"))
