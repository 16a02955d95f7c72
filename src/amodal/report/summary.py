"""Headlines of a report."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from amodal.metrics import Estimate, Metric, lowest_estimate, lowest_mark
from amodal.report.context import ReportContext
from amodal.report.provenance import Provenance
from amodal.report.section import Result
from amodal.report.sections.completion import ColumnCompletion
from amodal.report.sections.fidelity import ColumnFidelity
from amodal.report.sections.pairs import PairScore

_SUSPICIOUS = 0.25
_EASILY = 0.9
_CHANCE = 0.5
_BLURRED, _NOISY = 0.5, 1.5
WEAKNESS = {
    "Frechet distance": "generated cells as a whole are far from real ones",
    "precision": "many generated cells look like no real one",
    "recall": "many kinds of real cells are never generated",
    "density": "generated cells lie where real ones are rare",
    "coverage": "generated cells are less varied than real ones",
    "length distance": "texts are longer or shorter than real ones",
    "n-gram overlap": "texts have few pairs of neighbouring words in common with real ones",
    "Wasserstein distance": "numbers are distributed otherwise than real ones",
    "total variation": "labels are more or less frequent than real ones",
}
"""Metric of a column -> what a low value means."""


class Summary(Result):
    """Headlines.

    Attributes:
        overall: 0 to 1, the lowest of `fidelity`, `matching_accuracy` and `whole_rows`, of those there are. Not their
            mean: rows of which one column is noise are not good rows.
        fidelity: 0 to 1, the lowest over columns of the lowest of their metrics between floor and ceiling.
        matching_accuracy: 0 to 1, what (given, target) pairs have of real rows' matching accuracy beyond chance: the
            sum over the informative pairs, of 0 to the ceiling each, over the sum of their ceilings.
        whole_rows: 0 to 1, the matching accuracy of rows drawn with nothing given, between that of shuffled and of
            real rows.
        weakness: in words, what is bad of the lowest part; empty where there is none.
        completion: share of columns that the model completes better than all baselines.
        detection_auc: as in the section `detection`.
        nndr_share: as in the section `privacy`.
        membership: likewise.
        sentences: the findings in words, the most important first.
    """

    overall: Metric | None = None
    fidelity: Metric | None = None
    matching_accuracy: Metric | None = None
    whole_rows: Metric | None = None
    weakness: str = ""
    completion: Metric | None = None
    detection_auc: Metric | None = None
    nndr_share: Metric | None = None
    membership: Metric | None = None
    sentences: tuple[str, ...] = ()


def summarize(context: ReportContext, provenance: Provenance, results: Mapping[str, Any]) -> Summary:
    """Compute the headlines of the sections' results.

    Args:
        context: where unavailable headlines are noted.
        provenance: of the report.
        results: section -> its result.
    """
    rows, subsampled = provenance.evaluated_rows, context.rows.subsampled

    def headline(name: str, estimate: Estimate | None, description: str) -> Metric | None:
        if estimate is None:
            return None
        counted = replace(Estimate(**vars(estimate)), rows=rows, subsampled=subsampled)
        return Metric(**vars(counted), name=name, better="higher", description=description)

    columns: list[ColumnFidelity] = results.get("fidelity", [])
    pairs: list[PairScore] = results.get("pairs", [])
    completion: list[ColumnCompletion] = results.get("completion", [])
    marks = [(column, metric) for column in columns for metric in column.metrics if metric.mark]
    fidelity = headline(
        "fidelity",
        lowest_mark(metric for _, metric in marks),
        "The worst column’s worst metric, from a random baseline, 0, to real cells, 1.",
    )
    matching = headline(
        "matching accuracy",
        _matching(pairs),
        "Share of real rows' agreement beyond chance, in columns drawn from one another.",
    )
    joint = results.get("rows")
    whole_rows = headline(
        "whole rows",
        joint.score.mark if joint and joint.score else None,
        "Share of real rows' agreement beyond chance, in rows drawn with nothing given.",
    )
    for name, metric in (("fidelity", fidelity), ("matching accuracy", matching)):
        if metric is None:
            context.note(f"summary's {name}", "no metric distinguishes real rows from a random baseline")
    won = float(np.mean([each.best == "model" for each in completion])) if completion else 0.0
    privacy = results.get("privacy")
    summary = Summary(
        overall=headline(
            "overall",
            _lowest((fidelity, matching, whole_rows)),
            "The lowest of fidelity, matching accuracy and whole rows.",
        ),
        fidelity=fidelity,
        matching_accuracy=matching,
        whole_rows=whole_rows,
        completion=Metric(
            value=won,
            rows=rows,
            subsampled=subsampled,
            name="completion",
            better="higher",
            description="Share of columns that the model completes better than all baselines.",
        )
        if completion
        else None,
        detection_auc=results.get("detection"),
        nndr_share=privacy and privacy.nndr_share,
        membership=privacy and privacy.membership,
    )
    summary = summary.model_copy(update={"weakness": _weakness(summary, marks, pairs)})
    sentences = _sentences(provenance, summary, columns, completion, pairs)
    return summary.model_copy(update={"sentences": tuple(sentences)})


def _lowest(estimates: Iterable[Estimate | None]) -> Estimate | None:
    known = [each for each in estimates if each is not None]
    return lowest_estimate(known) if known else None


def _matching(pairs: Sequence[PairScore]) -> Estimate | None:
    """Share of real rows' accuracy beyond chance, summed over all informative pairs.

    A ratio of sums: pairs that hardly match in real rows, of which the ratio is mostly noise, count little.
    """
    informative = [
        (each.score, each.score.ceiling) for each in pairs if each.is_informative and each.score.ceiling
    ]
    if not informative:
        return None
    real = np.array([ceiling.value for _, ceiling in informative]) - _CHANCE
    ends = np.array([(score.value, *score.interval) for score, _ in informative]) - _CHANCE
    value, low, high = (np.clip(ends, 0, real[:, None]).sum(axis=0) / real.sum()).tolist()
    return Estimate(value, min(score.rows for score, _ in informative), low, high)


def _weakness(
    summary: Summary, marks: Sequence[tuple[ColumnFidelity, Metric]], pairs: Sequence[PairScore]
) -> str:
    """Words for what is bad of the lowest part."""
    parts = [each for each in (summary.fidelity, summary.matching_accuracy, summary.whole_rows) if each]
    lowest = min(parts, key=lambda each: each.value, default=None)
    if lowest is None:
        return ""
    if lowest is summary.matching_accuracy:
        worst = max((each for each in pairs if each.relative is not None), key=_loss)
        return f"cells drawn from one another agree too little, least from {worst.given} to {worst.target}"
    if lowest is summary.whole_rows:
        return "the cells of a row drawn with nothing given belong together less than those of real rows"
    column, metric = min(marks, key=lambda each: each[1].normalized or 0.0)
    words = WEAKNESS.get(metric.name, f"its {metric.name} is far from that of real cells")
    return f"{column.column} ({_flaw(column) or words})"


def _flaw(column: ColumnFidelity) -> str:
    """Blur or noise of images; empty without."""
    for metric in column.metrics:
        if metric.name == "sharpness" and metric.ceiling is not None:
            ratio = metric.value / max(metric.ceiling.value, 1e-9)
            if ratio < _BLURRED:
                return f"images are blurred, with {ratio:.0%} of the fine detail of real ones"
            if ratio > _NOISY:
                return f"images are noisy, with {ratio:.1f} times the fine detail of real ones"
    return ""


def _sentences(
    provenance: Provenance,
    summary: Summary,
    columns: Sequence[ColumnFidelity],
    completion: Sequence[ColumnCompletion],
    pairs: Sequence[PairScore],
) -> Iterator[str]:
    heldout, training = provenance.heldout, provenance.training
    if heldout.fingerprint == provenance.fit_fingerprint:
        yield "These are the rows that the model was fitted to: all metrics are too good."
    if training is not None and training.fingerprint != provenance.fit_fingerprint:
        yield (
            f"{training.source} is not, or no longer, the table that the model was fitted to, so that "
            "copying may go unnoticed."
        )
    if summary.overall is not None:
        yield f"The lowest score is {summary.overall.value:.0%}: {summary.weakness}."
    if summary.fidelity is not None:
        yield (
            f"Each column's generated cells come at least {summary.fidelity.value:.0%} of the way "
            "from a random baseline to real ones, by every metric."
        )
    for column in columns:
        if (flaw := _flaw(column)) and flaw not in summary.weakness:
            yield f"In {column.column}, {flaw}."
    if summary.matching_accuracy is not None:
        share = summary.matching_accuracy.value
        yield f"Columns drawn from one another have {share:.0%} of the agreement of real rows."
        worst = max((each for each in pairs if each.relative is not None), key=_loss)
        yield f"The largest loss is from {worst.given} to {worst.target}: {worst.relative:.0%} of it remains."
    if completion:
        won = sum(each.best == "model" for each in completion)
        yield f"The model completes {won} of {len(completion)} columns better than all baselines."
    if (auc := summary.detection_auc) is not None:
        can = "easily distinguishes" if auc.value > _EASILY else "distinguishes"
        if auc.interval[0] <= _CHANCE:
            can = "cannot distinguish"
        yield f"A classifier {can} generated rows from real ones (AUC {auc.value:.2f}, 0.50 by chance)."
    if summary.nndr_share is not None:
        share = summary.nndr_share.value
        verdict = ": the model repeats its training rows." if share > _SUSPICIOUS else "."
        yield (
            f"{share:.0%} of generated rows are suspiciously near to one training row, "
            f"where 5% of new rows are{verdict}"
        )
    if (leak := summary.membership) is not None and leak.interval[0] > _CHANCE:
        yield (
            f"The model's likelihoods give training rows away (AUC {leak.value:.2f}, 0.50 where nothing leaks): "
            "whoever has the model can tell them from other rows."
        )
    if provenance.evaluated_rows < heldout.rows:
        others = "the others are the reference" if training is None else "the others were not used"
        yield f"{provenance.evaluated_rows:,} of {heldout.rows:,} held-out rows were evaluated; {others}."


def _loss(pair: PairScore) -> float:
    """Loss of matching accuracy, relative to real rows."""
    return pair.score.ceiling.value - pair.score.value if pair.score.ceiling else 0.0
