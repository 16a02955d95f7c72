"""What a person reads first."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from amodal.report.metric import Notes
from amodal.report.results import (
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
_CHANCE = 0.5


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
    two = _coherence(pairs, rows, cut)
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


def _coherence(pairs: Sequence[PairScore], rows: int, cut: bool) -> Reading | None:
    """How much of real rows' agreement beyond chance there is, over all pairs that tell.

    The sum of what is there over the sum of what could be: pairs that hardly agree in real rows, of which the ratio
    is mostly noise, count little.
    """
    telling = [
        (each.score, each.score.ceiling) for each in pairs if each.is_informative and each.score.ceiling
    ]
    if not telling:
        return None
    most = sum(real.value - _CHANCE for _, real in telling)

    def part(values: Sequence[float]) -> float:
        return (
            sum(
                min(max(value - _CHANCE, 0.0), real.value - _CHANCE)
                for value, (_, real) in zip(values, telling, strict=True)
            )
            / most
        )

    made = [score for score, _ in telling]
    ends = (
        part([score.value for score in made]),
        part([score.value if score.low is None else score.low for score in made]),
        part([score.value if score.high is None else score.high for score in made]),
    )
    says = "What there is of real rows' agreement beyond chance, in columns drawn from one another."
    return _mean("coherence", [ends], rows, cut, says)


def _lost(pair: PairScore) -> float:
    """How much less a pair agrees than in real rows."""
    return pair.score.ceiling.value - pair.score.value if pair.score.ceiling else 0.0


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
            f"Columns drawn from one another have {summary.coherence.value:.0%} of the agreement of real rows."
        )
        most = max((each for each in pairs if each.scaled is not None), key=_lost)
        sentences.append(
            f"Most is lost from {most.given} to {most.target}: {most.scaled:.0%} of it is there."
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
