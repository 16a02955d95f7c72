"""How a method stands beside others: its scores, its costs, or its failure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

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
"""Column of the leaderboard -> what a person reads; more is better in all of them."""
COSTS: Mapping[str, str] = {
    "seconds": "time to fit",
    "memory_mb": "memory",
    "parameters": "weights",
}
"""Likewise; less is better."""


@dataclass(frozen=True)
class Standing:
    """A method in a comparison.

    Attributes:
        outcome: what it cost, or why it failed.
        report: its evaluation; None where it failed.
        scores: the keys of `SCORES` that could be had.
    """

    outcome: Outcome
    report: Report | None = None
    scores: Mapping[str, Estimate] = field(default_factory=dict)

    @property
    def method(self) -> str:
        """Its name."""
        return self.outcome.method

    @property
    def costs(self) -> dict[str, float]:
        """The keys of `COSTS` that are known."""
        memory = None if self.outcome.memory is None else round(self.outcome.memory / 1e6)
        known = {
            "seconds": self.outcome.seconds,
            "memory_mb": memory,
            "parameters": self.outcome.parameters,
        }
        return {name: value for name, value in known.items() if value is not None}


def standing(outcome: Outcome, report: Report | None) -> Standing:
    """What an evaluation says of a method, in few numbers."""
    if report is None:
        return Standing(outcome)
    found = {
        "overall": report.summary.overall,
        "fidelity": report.summary.fidelity,
        "matching_accuracy": report.summary.matching_accuracy,
        "whole_rows": _between(rows.score if (rows := report.sections.get("rows")) else None),
        "completion": completion(report.sections.get("completion", [])),
        "target": _target(report),
    }
    return Standing(outcome, report, {name: mark for name, mark in found.items() if mark is not None})


def completion(columns: Sequence[ColumnCompletion]) -> Estimate | None:
    """How far hidden cells that are filled come from the typical cell, 0, to the hidden ones, 1: a mean over columns.

    A column that is filled no better than by its mean, its most frequent label or its mean cell counts 0.
    """
    parts = [ends for column in columns if (ends := _skill(column.model)) is not None]
    if not parts:
        return None
    value, low, high = (float(np.mean(ends)) for ends in zip(*parts, strict=True))
    readings = [column.model for column in columns]
    return Estimate(
        value=value,
        low=low,
        high=high,
        rows=max(reading.rows for reading in readings),
        subsampled=any(reading.subsampled for reading in readings),
    )


def _skill(reading: Metric) -> tuple[float, float, float] | None:
    if reading.floor is None:
        return None
    floor, perfect = reading.floor.value, 1.0 if reading.better == "higher" else 0.0
    if floor == perfect:
        return None
    value, *ends = (
        float(np.clip((number - floor) / (perfect - floor), 0.0, 1.0))
        for number in (reading.value, *reading.interval)
    )
    return value, min(ends), max(ends)


def _between(metric: Metric | None) -> Estimate | None:
    """A metric between its floor, 0, and its ceiling, 1."""
    if metric is None or metric.normalized is None:
        return None
    low, high = metric.normalized_interval
    return Estimate(metric.normalized, metric.rows, low, high, metric.subsampled)


def _target(report: Report) -> Estimate | None:
    """How well the target is drawn given all other columns."""
    target = report.sections.get("target")
    drawn = [each for each in target.predictions if each.predictor == "completion"] if target else []
    return max(drawn, key=lambda each: len(each.given)).score if drawn else None


def tied(one: Estimate, other: Estimate) -> bool:
    """Whether two scores' intervals overlap, so that these rows do not say which is better."""
    ends = [(mark.value if mark.low is None else mark.low) for mark in (one, other)]
    tops = [(mark.value if mark.high is None else mark.high) for mark in (one, other)]
    return max(ends) <= min(tops)


def ranked(standings: Sequence[Standing], score: str) -> list[Standing]:
    """Those that have the score, the best first."""
    return sorted(
        (each for each in standings if score in each.scores),
        key=lambda each: each.scores[score].value,
        reverse=True,
    )


def in_order(standings: Sequence[Standing]) -> list[Standing]:
    """The best overall first, then those without the score, failures last."""
    best = ranked(standings, "overall")
    rest = [each for each in standings if each not in best]
    return best + sorted(rest, key=lambda each: bool(each.outcome.failure))


def leaderboard(standings: Sequence[Standing]) -> pd.DataFrame:
    """One row a method, the best first; scores are followed by the ends of their 95 % intervals.

    Columns: `method`; `overall`, `fidelity`, `matching_accuracy`, `whole_rows`, `completion`, 0 to 1; `target`, an
    accuracy or R2, where one was asked for; `seconds` and `memory_mb` of fitting; `parameters`; `epochs`; `failure`.
    """
    asked = [
        name for name in SCORES if name != "target" or any("target" in each.scores for each in standings)
    ]
    rows = []
    for each in in_order(standings):
        row: dict[str, float | str | None] = {"method": each.method}
        for name in asked:
            mark = each.scores.get(name)
            row[name] = None if mark is None else round(mark.value, 4)
            row[f"{name}_low"] = None if mark is None or mark.low is None else round(mark.low, 4)
            row[f"{name}_high"] = None if mark is None or mark.high is None else round(mark.high, 4)
        row |= {name: each.costs.get(name) for name in COSTS}
        rows.append(row | {"epochs": each.outcome.epochs, "failure": each.outcome.failure or None})
    table = pd.DataFrame(rows)
    whole = ["memory_mb", "parameters", "epochs"]
    scores = [name for name in table.columns if name not in ("method", "failure", *whole)]
    return table.astype(dict.fromkeys(scores, "float64") | dict.fromkeys(whole, "Int64"))
