"""What a person reads first."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from amodal.evaluation.parts.reading import Notes
from amodal.evaluation.report import (
    ColumnCompletion,
    ColumnFidelity,
    CopyingPart,
    Made,
    PairScore,
    Reading,
    Summary,
)

_SUSPICIOUS = 0.25
_TOLD = 0.9


def summarise(
    made: Made,
    fidelity: Sequence[ColumnFidelity],
    pairs: Sequence[PairScore],
    completion: Sequence[ColumnCompletion],
    realism: Reading | None,
    copying: CopyingPart | None,
    notes: Notes,
) -> Summary:
    """Work out the headlines of a report's parts."""
    rows = made.judged_rows
    cut = made.judged_rows + made.matched_rows * (made.training is None) < made.data.rows
    columns = [_bounds(scores) for each in fidelity if (scores := _told(each.scores))]
    one = _mean(
        "fidelity", columns, rows, cut, "Columns on their own, between worthless cells, 0, and real ones, 1."
    )
    two = _mean(
        "coherence",
        [bounds for each in pairs if (bounds := _pair_bounds(each))],
        rows,
        cut,
        "Columns drawn from each other one, between chance, 0, and real rows, 1.",
    )
    for name, score in (("fidelity", one), ("coherence", two)):
        if score is None:
            notes.add(f"summary's {name}", "none of its scores tells real rows from worthless ones")
    parts = [(each.value, each.low, each.high) for each in (one, two) if each is not None]
    overall = _mean("overall", parts, rows, cut, "The mean of fidelity and coherence.")
    better = [each.best == "model" for each in completion]
    beats = (
        Reading(
            name="completion",
            value=float(np.mean(better)),
            rows=rows,
            subsampled=cut,
            better="higher",
            says="Share of columns that the model completes better than fills without a model.",
        )
        if better
        else None
    )
    summary = Summary(
        overall=overall,
        fidelity=one,
        coherence=two,
        completion=beats,
        realism=realism,
        copying=None if copying is None else copying.ratio,
        sentences=[],
    )
    return summary.model_copy(update={"sentences": _sentences(made, summary, completion, pairs)})


Bounds = tuple[float, float | None, float | None]


def _told(scores: Sequence[Reading]) -> list[Reading]:
    return [each for each in scores if each.scaled is not None]


def _bounds(scores: Sequence[Reading]) -> Bounds:
    """The mean of scaled scores, and of their intervals' ends where they have one."""
    low, high = [], []
    for score in scores:
        ends = sorted(
            score.scale(score.value if end is None else end) or 0.0 for end in (score.low, score.high)
        )
        low.append(ends[0])
        high.append(ends[1])
    return (
        float(np.mean([score.scaled or 0.0 for score in scores])),
        float(np.mean(low)),
        float(np.mean(high)),
    )


def _pair_bounds(pair: PairScore) -> Bounds | None:
    if pair.scaled is None or pair.score.ceiling is None:
        return None

    def scaled(value: float | None) -> float | None:
        if value is None or pair.score.ceiling is None:
            return None
        return float(np.clip((value - 0.5) / (pair.score.ceiling.value - 0.5), 0, 1))

    return pair.scaled, scaled(pair.score.low), scaled(pair.score.high)


def _mean(name: str, parts: Sequence[Bounds], rows: int, cut: bool, says: str) -> Reading | None:
    if not parts:
        return None
    # Scores share their rows: the mean of their ends is an interval that is too wide rather than too narrow.
    return Reading(
        name=name,
        value=float(np.mean([value for value, _, _ in parts])),
        low=float(np.mean([value if low is None else low for value, low, _ in parts])),
        high=float(np.mean([value if high is None else high for value, _, high in parts])),
        rows=rows,
        subsampled=cut,
        better="higher",
        says=says,
    )


def _sentences(
    made: Made, summary: Summary, completion: Sequence[ColumnCompletion], pairs: Sequence[PairScore]
) -> list[str]:
    sentences = []
    if made.data.fingerprint == made.fit_fingerprint:
        sentences.append("These are the rows that the model was fitted to: take every score for too good.")
    if made.training is not None and made.training.fingerprint != made.fit_fingerprint:
        sentences.append(
            f"{made.training.source} is not, or no longer, the table that the model was fitted to, so that "
            "copying may go unnoticed."
        )
    if summary.fidelity is not None:
        sentences.append(
            f"Column by column, generated cells come {summary.fidelity.value:.0%} of the way "
            "from worthless to real ones."
        )
    if summary.coherence is not None:
        sentences.append(
            f"Columns drawn from one another agree {summary.coherence.value:.0%} as well as those of real rows."
        )
        telling = [each for each in pairs if each.scaled is not None]
        weakest = min(telling, key=lambda each: each.scaled or 0.0)
        sentences.append(
            f"The weakest pair is {weakest.given} -> {weakest.target}, with {weakest.scaled:.0%}."
        )
    if completion:
        better = sum(each.best == "model" for each in completion)
        sentences.append(
            f"The model completes {better} of {len(completion)} columns better than fills without a model."
        )
    if summary.realism is not None:
        told = summary.realism.value
        known = (
            "easily tells"
            if told > _TOLD
            else "tells"
            if (summary.realism.low or told) > 0.5
            else "cannot tell"
        )
        sentences.append(
            f"A classifier {known} generated rows from real ones (AUC {told:.2f}, 0.50 by chance)."
        )
    if summary.copying is not None:
        share = summary.copying.value
        sentences.append(
            f"{share:.0%} of generated rows are suspiciously near to one training row, where 5% of new rows are"
            + (": the model repeats its training rows." if share > _SUSPICIOUS else ".")
        )
    if made.judged_rows < made.data.rows:
        rest = "the others taught the matchers" if made.training is None else "the others were not looked at"
        sentences.append(f"{made.judged_rows:,} of {made.data.rows:,} held-out rows were judged; {rest}.")
    return sentences
