"""Privacy: whether generated rows are copies of training rows, and whether the model gives these away."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from amodal.batch import Batch
from amodal.inference import log_prob
from amodal.metrics import (
    Estimate,
    Metric,
    MetricUnavailable,
    membership_inference,
    need_rows,
    subsample,
)
from amodal.report.context import Purpose, ReportContext
from amodal.report.section import Result, Section

_MOST_ROWS = 200
_SAMPLES = 10
_WHOLE_ROW = "the whole row"


class Privacy(Result):
    """Distances of generated rows to training rows, compared with those of held-out rows, and membership inference.

    Distances are no proof of privacy: a model that copies nothing may still tell which rows it was fitted to.

    Attributes:
        dcr_share: how often a generated row is nearer to training than a held-out row: 0.5 for new rows, 1 for copies.
        nndr_share: share of rows suspiciously near to one training row and to no other: 0.05 for new rows, 1 for
            copies.
        duplicates: share of generated rows that are a training row; the ceiling is that of held-out rows.
        membership: AUC by which the model's own likelihoods distinguish training rows from held-out ones: 0.5 where
            nothing leaks. None where unavailable.
        membership_score: whose likelihood does it best: a column, given the row's others, or "the whole row".
    """

    dcr_share: Metric
    nndr_share: Metric
    duplicates: Metric
    membership: Metric | None
    membership_score: str


def compute(context: ReportContext) -> Privacy:
    """Compare generated rows, with the holes of real ones, with training rows."""
    found = context.copying

    def metric(
        estimate: Estimate, name: str, description: str, ceiling: Estimate, floor_kind: str = "copies"
    ) -> Metric:
        return context.metric(
            estimate,
            name,
            better="lower",
            description=description,
            ceiling=ceiling,
            floor=Estimate(1.0, estimate.rows),
            floor_kind=floor_kind,
        )

    membership, score = None, ""
    with context.optional("membership inference"):
        auc, score = _membership(context)
        of = f"likelihood of {score}" + (", given the row's other cells" if score != _WHOLE_ROW else "")
        membership = metric(
            auc,
            "membership AUC",
            f"How often a training row has a higher {of} than a held-out row: 0.5 where nothing leaks.",
            Estimate(0.5, auc.rows),
            "every training row is known",
        )
    return Privacy(
        dcr_share=metric(
            found.dcr_share,
            "nearer than held-out rows",
            "How often a generated row is nearer to training rows than a held-out row is: 0.5 for new rows.",
            Estimate(0.5, found.dcr_share.rows),
        ),
        nndr_share=metric(
            found.nndr_share,
            "suspiciously near",
            "Share of rows near to one training row and to no other: 0.05 for new rows, 1 for copies.",
            Estimate(0.05, found.nndr_share.rows),
        ),
        duplicates=metric(
            found.duplicates,
            "duplicates",
            "Share of generated rows that are a training row.",
            found.heldout_duplicates,
        ),
        membership=membership,
        membership_score=score,
    )


def _membership(context: ReportContext) -> tuple[Estimate, str]:
    """The attack by log p(row), and by log p(cell | the row's others) of each column, which is their difference."""
    need_rows(len(context.modalities), 1, "columns")
    training, heldout = context.rows.reference, context.rows.evaluated
    sides = [
        _log_likelihoods(context, rows[subsample(len(rows), context.seed, _MOST_ROWS)], number)
        for number, rows in enumerate((training, heldout))
    ]
    subsampled = max(len(training), len(heldout)) > _MOST_ROWS
    found = membership_inference(*sides, seed=context.seed, subsampled=subsampled)
    return found.auc, found.score


def _log_likelihoods(context: ReportContext, rows: Batch, number: int) -> dict[str, NDArray[Any]]:
    """Score -> log-likelihoods (N,), NaN where a row has no such cell."""
    seed = context.noise_seed(Purpose.MEMBERSHIP, number)

    def score(batch: Batch) -> NDArray[np.float64]:
        if not len(batch):
            raise MetricUnavailable("there are no rows")
        return log_prob(context.model, batch, num_samples=_SAMPLES, seed=seed).astype(np.float64)

    log_joint = score(rows)
    scores = {_WHOLE_ROW: log_joint}
    for name in context.modalities if len(context.modalities) > 1 else ():
        others = score(rows.given(other for other in context.modalities if other != name))
        scores[name] = np.where(rows.mask(name).numpy(), log_joint - others, np.nan)
    return scores


SECTION = Section("privacy", "New or copied", compute)
