"""Privacy: whether generated rows are copies of training rows."""

from __future__ import annotations

from amodal.metrics import Estimate, Metric
from amodal.report.context import ReportContext
from amodal.report.section import Result, Section


class Privacy(Result):
    """Distances of generated rows to training rows, compared with those of held-out rows.

    Attributes:
        dcr_share: how often a generated row is nearer to training than a held-out row: 0.5 for new rows, 1 for copies.
        nndr_share: share of rows suspiciously near to one training row and to no other: 0.05 for new rows, 1 for
            copies.
        duplicates: share of generated rows that are a training row; the ceiling is that of held-out rows.
    """

    dcr_share: Metric
    nndr_share: Metric
    duplicates: Metric


def compute(context: ReportContext) -> Privacy:
    """Compare generated rows, with the holes of real ones, with training rows."""
    found = context.copying

    def metric(estimate: Estimate, name: str, description: str, ceiling: Estimate) -> Metric:
        return context.metric(
            estimate,
            name,
            better="lower",
            description=description,
            ceiling=ceiling,
            floor=Estimate(1.0, estimate.rows),
            floor_kind="copies",
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
    )


SECTION = Section("privacy", "New or copied", compute)
