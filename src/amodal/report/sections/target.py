"""A target column: what the others say of it, and whether drawn cells show the label they were drawn for."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from amodal.batch import Batch
from amodal.metrics import (
    ColumnClassifier,
    Difference,
    Estimate,
    MetricUnavailable,
    column_vectors,
    conditional_coherence,
    fit_classifier,
    joint_coherence,
    predict_target,
    shuffled_columns,
)
from amodal.report.context import TARGET, Evidence, completed, embedded
from amodal.report.metric import Notes, reading
from amodal.report.results import Reading, TargetDifference, TargetJudge, TargetPart, TargetPrediction
from amodal.report.sections.coherence import Translations

_DRAWS = 4
_MOSTLY = 0.5


def target_part(
    evidence: Evidence, rows: Batch, target: str, drawn: Translations, notes: Notes
) -> TargetPart:
    """Answer whether multimodal is worth it.

    Args:
        evidence: the rows.
        rows: all held-out rows, as `amodal.table.encode` gives them.
        target: the column.
        drawn: all columns drawn from each.
        notes: where it is noted which judges cannot be had.

    Raises:
        MetricUnavailable: the target cannot be predicted; see `predict_target`.
    """
    model = evidence.model

    def complete(given: Batch, draw: int) -> Any:
        return completed(model, given, [target], evidence.noise_seed(TARGET, draw))[target]

    found = predict_target(
        rows,
        model.modalities,
        target,
        lambda given: embedded(model, given),
        complete,
        given=[name for name in evidence.features if name != target],
        draws=_DRAWS,
        seed=evidence.seed,
    )

    def read(score: Estimate, says: str, floor: Estimate | None = None) -> Reading:
        return reading(
            found.measure,
            score,
            better="higher",
            says=says,
            floor=floor,
            floor_is="typical answer",
            cut=evidence.cut,
        )

    def difference(each: Difference) -> TargetDifference:
        return TargetDifference(
            more=list(each.more),
            fewer=list(each.fewer),
            by=each.by,
            score=read(each.score, "How much more the first predicts; certain where low is above 0."),
        )

    judges, alike = _judges(evidence, target, drawn, notes)
    return TargetPart(
        target=target,
        measure=found.measure,
        baseline=read(found.baseline, "Of the most frequent label or the mean."),
        predictions=[
            TargetPrediction(
                given=list(each.given),
                by=each.by,
                score=read(each.score, "How well the target is predicted.", found.baseline),
            )
            for each in found.predictions
        ],
        gains=[difference(each) for each in found.gains],
        worth=[difference(each) for each in found.worth],
        judges=judges,
        alike=alike,
    )


def _judges(
    evidence: Evidence, target: str, drawn: Translations, notes: Notes
) -> tuple[list[TargetJudge], Reading | None]:
    if evidence.modalities[target].type != "category":
        notes.add("judges", f"{target!r} is no category", target)
        return [], None
    judges: dict[str, ColumnClassifier] = {}
    parts = []
    for name in evidence.features:
        if name == target:
            continue
        with notes.attempt("judge", name):
            real, labels = _labelled(evidence, "known", name, target)
            heldout, heldout_labels = _labelled(evidence, "judged", name, target)
            judge = fit_classifier(real, labels, heldout, heldout_labels, seed=evidence.seed)
            # A judge that is mostly wrong would say of no row that its columns agree.
            if judge.accuracy.value > _MOSTLY:
                judges[name] = judge
            said: Reading | None = None
            with notes.attempt("judged cells", f"{target} -> {name}"):
                said = _judged(evidence, judge, name, target, drawn)
            parts.append(
                TargetJudge(
                    column=name,
                    accuracy=reading(
                        "accuracy",
                        judge.accuracy,
                        better="higher",
                        says=f"How often the judge names the {target} of real cells.",
                        cut=evidence.cut,
                    ),
                    judged=said,
                )
            )
    alike: Reading | None = None
    with notes.attempt("judges of whole rows"):
        alike = _alike(evidence, judges, target)
    return parts, alike


def _labelled(evidence: Evidence, which: str, name: str, target: str) -> tuple[NDArray[Any], NDArray[Any]]:
    """Vectors (N, F) of a column and labels (N,) of the rows that have both."""
    rows = evidence.known if which == "known" else evidence.judged
    both = (rows.mask(name) & rows.mask(target)).numpy()
    return evidence.vectors[which][name][both], rows.x[target].numpy()[both]


def _judged(
    evidence: Evidence, judge: ColumnClassifier, name: str, target: str, drawn: Translations
) -> Reading:
    if target not in drawn:
        raise MetricUnavailable(f"no row has a cell of {target!r}")
    labels = evidence.judged.x[target][evidence.judged.mask(target)].numpy()
    score = conditional_coherence(judge, evidence.features[name](drawn[target][name]), labels)
    order = np.random.default_rng(evidence.seed).permutation(len(labels))
    return reading(
        "judged",
        score,
        better="higher",
        says=f"How often a drawn cell shows the {target} it was drawn for.",
        ceiling=judge.accuracy,
        floor=conditional_coherence(judge, evidence.features[name](drawn[target][name]), labels[order]),
        floor_is="shuffled",
        cut=evidence.cut,
    )


def _alike(evidence: Evidence, judges: dict[str, ColumnClassifier], target: str) -> Reading:
    def of(rows: Batch) -> Estimate:
        whole = rows.present[:, [rows.columns.index(name) for name in (*judges, target)]].all(dim=1).numpy()
        vectors = column_vectors({name: evidence.features[name] for name in judges}, rows)
        said = [judge(vectors[name][whole]) for name, judge in judges.items() if whole.any()]
        return joint_coherence([*said, rows.x[target].numpy()[whole]])

    def beside(rows: Batch) -> Estimate | None:
        try:
            return of(rows)
        except MetricUnavailable:
            return None

    return reading(
        "judged alike",
        of(evidence.generated),
        better="higher",
        says=f"Share of rows of which all judges that are mostly right say the row's {target}.",
        ceiling=beside(evidence.judged),
        floor=beside(shuffled_columns(evidence.judged, evidence.seed)),
        floor_is="columns shuffled",
        cut=evidence.cut,
    )
