"""Coherence: whether classifiers of real cells assign drawn cells the target label that they were drawn for."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from amodal.batch import Batch
from amodal.metrics import (
    ColumnClassifier,
    Estimate,
    Metric,
    MetricUnavailable,
    column_vectors,
    conditional_coherence,
    fit_classifier,
    joint_coherence,
    shuffled_columns,
)
from amodal.report.context import ReportContext, Which
from amodal.report.section import Result, Section

_LEAST_ACCURACY = 0.5


class ColumnCoherence(Result):
    """Coherence of one column's drawn cells.

    Attributes:
        column: the classified column.
        accuracy: of its classifier on real cells that it was not trained on.
        coherence: share of cells drawn from the target alone of the label they were drawn for; None where unavailable.
            The ceiling is the classifier's accuracy.
    """

    column: str
    accuracy: Metric
    coherence: Metric | None


class Coherence(Result):
    """Coherence with a target category.

    Attributes:
        target: its name.
        columns: conditional coherence of each other column.
        joint: share of rows, drawn with nothing given, of which all classifiers that are mostly right predict the row's
            own label; None where unavailable.
    """

    target: str
    columns: list[ColumnCoherence]
    joint: Metric | None


def compute(context: ReportContext) -> Coherence | None:
    """Train a classifier of the target's labels for each other column, and apply them to drawn cells."""
    target = context.target
    if target is None:
        return None
    if not context.column(target).is_categorical:
        raise MetricUnavailable(f"{target!r} is no category")
    classifiers: dict[str, ColumnClassifier] = {}
    columns = []
    for name in context.features:
        if name == target:
            continue
        with context.optional("classifier", name):
            classifier = fit_classifier(
                *_labelled(context, "reference", name, target),
                *_labelled(context, "evaluated", name, target),
                seed=context.seed,
            )
            # By a classifier that is mostly wrong, no row would be coherent.
            if classifier.accuracy.value > _LEAST_ACCURACY:
                classifiers[name] = classifier
            coherence: Metric | None = None
            with context.optional("coherence", f"{target} -> {name}"):
                coherence = _conditional(context, classifier, name, target)
            accuracy = context.metric(
                classifier.accuracy,
                "accuracy",
                better="higher",
                description=f"Accuracy of the classifier of {target} on real cells.",
            )
            columns.append(ColumnCoherence(column=name, accuracy=accuracy, coherence=coherence))
    joint: Metric | None = None
    with context.optional("joint coherence"):
        joint = _joint(context, classifiers, target)
    return Coherence(target=target, columns=columns, joint=joint)


def _labelled(
    context: ReportContext, which: Which, name: str, target: str
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Vectors (N, F) of a column and labels (N,) of the rows that have both."""
    rows = context.reference if which == "reference" else context.evaluated
    both = (rows.mask(name) & rows.mask(target)).numpy()
    return context.vectors[which][name][both], rows.x[target].numpy()[both]


def _conditional(context: ReportContext, classifier: ColumnClassifier, name: str, target: str) -> Metric:
    if target not in context.translations:
        raise MetricUnavailable(f"no row has a cell of {target!r}")
    labels = context.evaluated.column(target).numpy()
    vectors = context.features[name](context.translations[target][name])
    order = np.random.default_rng(context.seed).permutation(len(labels))
    return context.metric(
        conditional_coherence(classifier, vectors, labels),
        "coherence",
        better="higher",
        description=f"Share of drawn cells of the {target} that they were drawn for.",
        ceiling=classifier.accuracy,
        floor=conditional_coherence(classifier, vectors, labels[order]),
        floor_kind="shuffled",
    )


def _joint(context: ReportContext, classifiers: dict[str, ColumnClassifier], target: str) -> Metric:
    features = {name: context.features[name] for name in classifiers}

    def measure(rows: Batch) -> Estimate:
        complete = np.all([rows.mask(name).numpy() for name in (*classifiers, target)], axis=0)
        vectors = column_vectors(features, rows)
        predicted = [classifiers[name](vectors[name][complete]) for name in classifiers if complete.any()]
        return joint_coherence([*predicted, rows.x[target].numpy()[complete]])

    return context.metric(
        measure(context.generated),
        "joint coherence",
        better="higher",
        description=f"Share of rows of which all accurate classifiers predict the row's {target}.",
        ceiling=context.try_estimate(lambda: measure(context.evaluated)),
        floor=context.try_estimate(lambda: measure(shuffled_columns(context.evaluated, context.seed))),
        floor_kind="columns shuffled",
    )


SECTION = Section("coherence", "Coherence with {result.target}", compute)
