"""A target predicted from some columns or all, as dots with their intervals on one axis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from amodal.report.page.wording import joined, number
from amodal.report.results import Reading, TargetDifference, TargetPart

WAYS = {
    "embedding": "a linear model on the embedding",
    "completion": "the model's own completion",
    "features": "the same linear model on raw features, no model learned",
}


@dataclass(frozen=True)
class Dot:
    """One prediction's place on the axis.

    Attributes:
        by: how it predicts.
        score: its score.
        x: 0 at the axis' left end to 100.
        low: its interval's left end; `x` where it has none.
        high: its right end.
    """

    by: str
    score: Reading
    x: float
    low: float
    high: float


@dataclass(frozen=True)
class DotRow:
    """The predictions from the same columns, which `label` names."""

    label: str
    dots: list[Dot]


@dataclass(frozen=True)
class TargetChart:
    """All predictions.

    Attributes:
        alone: from each column alone, the best first.
        every: from all columns.
        without: from all but each.
        low: the axis' left end.
        high: its right end.
        baseline: where the prediction that looks at nothing lies.
        worth: column -> way -> what it adds to all others.
        verdicts: of each way, whether all columns are better than the best one, in words.
    """

    alone: list[DotRow]
    every: list[DotRow]
    without: list[DotRow]
    low: str
    high: str
    baseline: float
    worth: dict[str, dict[str, Reading]]
    verdicts: list[str]


def target_chart(part: TargetPart) -> TargetChart:
    """The chart of a target's predictions."""
    marks = [part.baseline, *(prediction.score for prediction in part.predictions)]
    least = min(mark.value if mark.low is None else mark.low for mark in marks)
    # One prediction that is far worse than nothing would press the others together.
    low = min(0.0, max(least, -1.0))

    def place(value: float) -> float:
        return round(min(100.0, max(0.0, (value - low) / (1 - low) * 100)), 2)

    sets: dict[tuple[str, ...], list[Dot]] = {}
    for prediction in part.predictions:
        score = prediction.score
        ends = [place(score.value if end is None else end) for end in (score.low, score.high)]
        dot = Dot(prediction.by, score, place(score.value), *ends)
        sets.setdefault(tuple(prediction.given), []).append(dot)
    everything = {name for given in sets for name in given}
    alone = [DotRow(given[0], dots) for given, dots in sets.items() if len(given) == 1]
    return TargetChart(
        alone=sorted(alone, key=lambda row: -max(dot.x for dot in row.dots)),
        every=[
            DotRow("all columns", dots) for given, dots in sets.items() if len(given) == len(everything) > 1
        ],
        without=[
            DotRow(f"all but {joined(sorted(everything - set(given)))}", dots)
            for given, dots in sets.items()
            if 1 < len(given) < len(everything)
        ],
        low=number(low),
        high="1",
        baseline=place(part.baseline.value),
        worth=_worth(part.worth),
        verdicts=_verdicts(part.gains, part.measure),
    )


def _worth(differences: Sequence[TargetDifference]) -> dict[str, dict[str, Reading]]:
    worth: dict[str, dict[str, Reading]] = {}
    for each in differences:
        added = joined([name for name in each.more if name not in each.fewer])
        worth.setdefault(added, {})[each.by] = each.score
    return worth


def _verdicts(gains: Sequence[TargetDifference], measure: str) -> list[str]:
    words = []
    for gain in gains:
        score = gain.score
        single = f"the best single one, {joined(gain.fewer)}"
        size = f"{number(abs(score.value))} of {measure}"
        if score.low is not None and score.low > 0:
            verdict = f"all columns are better than {single}, by {size}"
        elif score.high is not None and score.high < 0:
            verdict = f"all columns are worse than {single}, by {size}"
        else:
            verdict = f"all columns are not surely better than {single}"
        words.append(f"By {WAYS[gain.by]}, {verdict}.")
    return words
