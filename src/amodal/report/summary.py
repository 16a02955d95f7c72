"""Headlines of a report."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from amodal.metrics import Estimate, Metric, mean_estimate
from amodal.report.context import ReportContext
from amodal.report.provenance import Provenance
from amodal.report.section import Result
from amodal.report.sections.completion import ColumnCompletion
from amodal.report.sections.fidelity import ColumnFidelity
from amodal.report.sections.pairs import PairScore

_SUSPICIOUS = 0.25
_EASILY = 0.9
_CHANCE = 0.5


class Summary(Result):
    """Headlines.

    Attributes:
        overall: 0 to 1, the mean of `fidelity` and `matching_accuracy`, or the one there is.
        fidelity: 0 to 1, mean over columns of the mean of their metrics between floor and ceiling.
        matching_accuracy: 0 to 1, what (given, target) pairs have of real rows' matching accuracy beyond chance: the
            sum over the informative pairs, of 0 to the ceiling each, over the sum of their ceilings.
        completion: share of columns that the model completes better than all simple imputers.
        detection_auc: as in the section `detection`.
        nndr_share: as in the section `privacy`.
        sentences: the findings in words, the most important first.
    """

    overall: Metric | None = None
    fidelity: Metric | None = None
    matching_accuracy: Metric | None = None
    completion: Metric | None = None
    detection_auc: Metric | None = None
    nndr_share: Metric | None = None
    sentences: tuple[str, ...] = ()


def summarize(context: ReportContext, provenance: Provenance, results: Mapping[str, Any]) -> Summary:
    """Compute the headlines of the sections' results.

    Args:
        context: where unavailable headlines are noted.
        provenance: of the report.
        results: section -> its result.
    """
    rows, subsampled = provenance.evaluated_rows, context.rows.subsampled

    def headline(name: str, estimates: Sequence[Estimate], description: str) -> Metric | None:
        if not estimates:
            return None
        mean = mean_estimate(estimates)
        estimate = Estimate(mean.value, rows, mean.low, mean.high, subsampled)
        return Metric(**vars(estimate), name=name, better="higher", description=description)

    columns: list[ColumnFidelity] = results.get("fidelity", [])
    pairs: list[PairScore] = results.get("pairs", [])
    completion: list[ColumnCompletion] = results.get("completion", [])
    fidelity = headline(
        "fidelity",
        list(_fidelity(columns)),
        "Columns on their own, from a random baseline, 0, to real cells, 1.",
    )
    matching = headline(
        "matching accuracy",
        list(_matching(pairs)),
        "Share of real rows' agreement beyond chance, in columns drawn from one another.",
    )
    for name, metric in (("fidelity", fidelity), ("matching accuracy", matching)):
        if metric is None:
            context.note(f"summary's {name}", "no metric distinguishes real rows from a random baseline")
    won = float(np.mean([each.best == "model" for each in completion])) if completion else 0.0
    privacy = results.get("privacy")
    summary = Summary(
        overall=headline(
            "overall",
            [each for each in (fidelity, matching) if each],
            "The mean of fidelity and matching accuracy.",
        ),
        fidelity=fidelity,
        matching_accuracy=matching,
        completion=Metric(
            value=won,
            rows=rows,
            subsampled=subsampled,
            name="completion",
            better="higher",
            description="Share of columns that the model completes better than simple imputers.",
        )
        if completion
        else None,
        detection_auc=results.get("detection"),
        nndr_share=privacy and privacy.nndr_share,
    )
    sentences = _sentences(provenance, summary, completion, pairs)
    return summary.model_copy(update={"sentences": tuple(sentences)})


def _fidelity(columns: Sequence[ColumnFidelity]) -> Iterator[Estimate]:
    """Mean normalized metric of each column that has one."""
    for column in columns:
        if metrics := [estimate for metric in column.metrics if (estimate := metric.rescaled)]:
            yield mean_estimate(metrics)


def _matching(pairs: Sequence[PairScore]) -> Iterator[Estimate]:
    """Share of real rows' accuracy beyond chance, summed over all informative pairs.

    A ratio of sums: pairs that hardly match in real rows, of which the ratio is mostly noise, count little.
    """
    informative = [
        (each.score, each.score.ceiling) for each in pairs if each.is_informative and each.score.ceiling
    ]
    if not informative:
        return
    real = np.array([ceiling.value for _, ceiling in informative]) - _CHANCE
    ends = np.array([(score.value, *score.interval) for score, _ in informative]) - _CHANCE
    value, low, high = (np.clip(ends, 0, real[:, None]).sum(axis=0) / real.sum()).tolist()
    yield Estimate(value, min(score.rows for score, _ in informative), low, high)


def _sentences(
    provenance: Provenance,
    summary: Summary,
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
    if summary.fidelity is not None:
        yield (
            f"Column by column, generated cells come {summary.fidelity.value:.0%} of the way "
            "from a random baseline to real ones."
        )
    if summary.matching_accuracy is not None:
        share = summary.matching_accuracy.value
        yield f"Columns drawn from one another have {share:.0%} of the agreement of real rows."
        worst = max((each for each in pairs if each.relative is not None), key=_loss)
        yield f"The largest loss is from {worst.given} to {worst.target}: {worst.relative:.0%} of it remains."
    if completion:
        won = sum(each.best == "model" for each in completion)
        yield f"The model completes {won} of {len(completion)} columns better than simple imputers."
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
    if provenance.evaluated_rows < heldout.rows:
        others = "the others are the reference" if training is None else "the others were not used"
        yield f"{provenance.evaluated_rows:,} of {heldout.rows:,} held-out rows were evaluated; {others}."


def _loss(pair: PairScore) -> float:
    """Loss of matching accuracy, relative to real rows."""
    return pair.score.ceiling.value - pair.score.value if pair.score.ceiling else 0.0
