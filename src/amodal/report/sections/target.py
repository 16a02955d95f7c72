"""Predictions of a target column from single columns, from all, and from all but each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from torch import Tensor

from amodal.batch import Batch
from amodal.inference import embed
from amodal.metrics import Estimate, Gain, Predictor, TargetScores, predict_target
from amodal.report.context import Purpose, ReportContext
from amodal.report.page.formatting import joined, number
from amodal.report.page.view import PageView
from amodal.report.section import Section

_DRAWS = 4
_PREDICTORS: dict[Predictor, str] = {
    "embedding": "a linear probe of the embedding",
    "completion": "the model's own completion",
    "features": "the same linear probe of raw features, no model learned",
}


def compute(context: ReportContext) -> TargetScores | None:
    """Predict the target from the other columns of all held-out rows."""
    target = context.target
    if target is None:
        return None

    def complete(given: Batch, draw: int) -> Tensor:
        return context.draw(given, [target], Purpose.TARGET, draw)[target]

    return predict_target(
        context.rows.heldout,
        context.modalities,
        target,
        partial(embed, context.model),
        complete,
        given=[name for name in context.features if name != target],
        draws=_DRAWS,
        seed=context.seed,
        subsampled=context.rows.subsampled,
    )


@dataclass(frozen=True)
class Dot:
    """A prediction on the chart's axis, 0 at its left end to 100, with its interval."""

    score: Estimate
    x: float
    low: float
    high: float


@dataclass(frozen=True)
class DotRow:
    """Predictions from the same columns, by predictor."""

    label: str
    dots: dict[str, Dot]


def view(result: TargetScores, _: PageView) -> dict[str, Any]:
    """Dots with intervals on one axis, from the lowest score, but not below -1, to 1."""
    estimates = [result.baseline, *(each.score for each in result.predictions)]
    # One prediction that is far worse than the baseline would press the others together.
    low = min(0.0, max(min(each.interval[0] for each in estimates), -1.0))

    def place(value: float) -> float:
        return round(min(100.0, max(0.0, (value - low) / (1 - low) * 100)), 2)

    sets: dict[tuple[str, ...], dict[str, Dot]] = {}
    for each in result.predictions:
        dot = Dot(each.score, place(each.score.value), *map(place, each.score.interval))
        sets.setdefault(each.given, {})[each.predictor] = dot
    columns = {name for given in sets for name in given}
    singles = [DotRow(given[0], dots) for given, dots in sets.items() if len(given) == 1]
    removed = {given: joined(sorted(columns - set(given))) for given in sets if 1 < len(given) < len(columns)}
    return {
        "groups": [
            sorted(singles, key=lambda row: -max(dot.x for dot in row.dots.values())),
            [DotRow("all columns", dots) for given, dots in sets.items() if len(given) == len(columns) > 1],
            [DotRow(f"all but {name}", sets[given]) for given, name in removed.items()],
        ],
        "low": number(low),
        "baseline": place(result.baseline.value),
        "ablations": _ablations(result.ablations),
        "verdicts": [_verdict(gain, result.metric) for gain in result.gains],
        "predictors": _PREDICTORS,
    }


def _ablations(gains: Sequence[Gain]) -> dict[str, dict[str, Estimate]]:
    """Removed column -> predictor -> what it adds to all others."""
    ablations: dict[str, dict[str, Estimate]] = {}
    for gain in gains:
        removed = joined([name for name in gain.given if name not in gain.over])
        ablations.setdefault(removed, {})[gain.predictor] = gain.score
    return ablations


def _verdict(gain: Gain, metric: str) -> str:
    single = f"the best single one, {joined(list(gain.over))}"
    size = f"{number(abs(gain.score.value))} of {metric}"
    low, high = gain.score.interval
    if low > 0:
        verdict = f"all columns are better than {single}, by {size}"
    elif high < 0:
        verdict = f"all columns are worse than {single}, by {size}"
    else:
        verdict = f"all columns are not significantly better than {single}"
    return f"By {_PREDICTORS[gain.predictor]}, {verdict}."


SECTION = Section("target", "Predicting {result.target}", compute, view)
