"""Rows as a whole: can they be told from real ones, are they copies, what is missing of them?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amodal.batch import Batch
from amodal.metrics import (
    Copying,
    Estimate,
    MetricUnavailable,
    column_vectors,
    copying,
    detection_auc,
    matches,
    missingness,
    need_rows,
    row_vectors,
    shuffled_columns,
    with_holes_of,
)
from amodal.report.context import Evidence
from amodal.report.metric import reading
from amodal.report.results import CopyingPart, MissingnessPart, Reading


def realism_score(evidence: Evidence) -> Reading:
    """How well a classifier tells real rows from generated ones.

    Its ceiling is how well it tells one half of the judged rows from the other, its floor how well from the other
    half with its columns shuffled.

    Raises:
        MetricUnavailable: fewer than 50 judged rows.
    """
    need_rows(len(evidence.features), 1, "columns with real cells")
    seed, rows = evidence.seed, np.random.default_rng(evidence.seed).permutation(len(evidence.judged))
    one, other = (evidence.judged[np.sort(half)] for half in np.array_split(rows, 2))

    def told(real: Batch, made: Batch) -> Estimate:
        return detection_auc(_vectors(evidence, real), _vectors(evidence, made), seed=seed)

    def beside(made: Batch) -> Estimate | None:
        try:
            return told(one, made)
        except MetricUnavailable:
            return None

    return reading(
        "realism",
        told(evidence.judged, with_holes_of(evidence.generated, evidence.judged, seed)),
        better="lower",
        says="How well a classifier tells real rows from generated ones: 0.5 when it cannot, 1 when it always does.",
        unit="AUC",
        ceiling=beside(other),
        floor=beside(shuffled_columns(other, seed)),
        floor_is="columns shuffled",
        cut=evidence.cut,
    )


def _vectors(evidence: Evidence, rows: Batch) -> NDArray[np.float64]:
    joined = row_vectors(evidence.features, rows)
    if not evidence.matchers:
        return joined
    return np.hstack([joined, matches(evidence.matchers, column_vectors(evidence.features, rows))])


def copying_scores(evidence: Evidence, training: NDArray[Any], *, cut: bool) -> tuple[CopyingPart, Copying]:
    """Whether generated rows, with the holes of real ones, are copies of training rows.

    Args:
        evidence: the rows.
        training: (N, F), `row_vectors` of training rows.
        cut: whether these were drawn from more.

    Raises:
        MetricUnavailable: too few rows.
    """
    judged = row_vectors(evidence.features, evidence.judged)
    made = row_vectors(evidence.features, with_holes_of(evidence.generated, evidence.judged, evidence.seed))
    found = copying(training, judged, made, seed=evidence.seed)
    cut = cut or evidence.cut
    rows = found.nearer.rows
    return CopyingPart(
        nearer=reading(
            "nearer than held-out rows",
            found.nearer,
            better="lower",
            says="How often a generated row is nearer to training rows than a held-out row is: 0.5 for new rows.",
            ceiling=Estimate(0.5, rows),
            floor=Estimate(1.0, rows),
            floor_is="copies",
            cut=cut,
        ),
        ratio=reading(
            "suspiciously near",
            found.ratio,
            better="lower",
            says="Share of rows near to one training row and to no other: 0.05 for new rows, 1 for copies.",
            ceiling=Estimate(0.05, rows),
            floor=Estimate(1.0, rows),
            floor_is="copies",
            cut=cut,
        ),
        duplicates=reading(
            "duplicates",
            found.duplicates,
            better="lower",
            says="Share of generated rows that are a training row.",
            ceiling=found.heldout_duplicates,
            floor=Estimate(1.0, rows),
            floor_is="copies",
            cut=cut,
        ),
    ), found


def missing_cells(evidence: Evidence) -> MissingnessPart:
    """Which cells are missing; the ceiling is that of the known rows.

    Raises:
        MetricUnavailable: fewer than 10 rows.
    """
    real = evidence.judged.present.numpy()
    found = missingness(real, evidence.generated.present.numpy())
    ceiling = missingness(real, evidence.known.present.numpy())
    says: Mapping[str, str] = {
        "rates": "Mean difference of the columns' shares of missing cells. Generated rows are whole.",
        "together": "Mean difference of the shares of rows that lack both of two columns.",
    }
    scores = {"rates": (found.rates, ceiling.rates), "together": (found.together, ceiling.together)}
    readings = {
        name: reading(
            f"missing {name}", score, better="lower", says=says[name], ceiling=best, cut=evidence.cut
        )
        for name, (score, best) in scores.items()
    }
    return MissingnessPart(
        columns=list(evidence.modalities),
        real=found.real.tolist(),
        generated=found.generated.tolist(),
        rates=readings["rates"],
        together=readings["together"],
    )
