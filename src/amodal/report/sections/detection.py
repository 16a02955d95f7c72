"""Detection: how well a classifier distinguishes generated rows from real ones."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from amodal.batch import Batch
from amodal.metrics import (
    Estimate,
    Metric,
    column_vectors,
    detection_auc,
    match_scores,
    need_rows,
    row_vectors,
    shuffled_columns,
)
from amodal.report.context import ReportContext
from amodal.report.section import Section


def compute(context: ReportContext) -> Metric:
    """AUC of a classifier two-sample test.

    The ceiling is that of one half of the evaluated rows against the other, the floor that against the other half with
    its columns shuffled.
    """
    need_rows(len(context.features), 1, "columns with real cells")
    order = np.random.default_rng(context.seed).permutation(len(context.evaluated))
    one, other = (context.evaluated[np.sort(half)] for half in np.array_split(order, 2))

    def auc(real: Batch, generated: Batch) -> Estimate:
        return detection_auc(_vectors(context, real), _vectors(context, generated), seed=context.seed)

    return context.metric(
        auc(context.evaluated, context.generated_with_holes),
        "detection AUC",
        better="lower",
        unit="AUC",
        description="How well a classifier distinguishes real from generated rows: 0.5 by chance, 1 always.",
        ceiling=context.try_estimate(lambda: auc(one, other)),
        floor=context.try_estimate(lambda: auc(one, shuffled_columns(other, context.seed))),
        floor_kind="columns shuffled",
    )


def _vectors(context: ReportContext, rows: Batch) -> NDArray[Any]:
    vectors = row_vectors(context.fidelity_features, rows)
    if not context.matchers:
        return vectors
    return np.hstack([vectors, match_scores(context.matchers, column_vectors(context.features, rows))])


SECTION = Section("detection", "Real or generated", compute)
