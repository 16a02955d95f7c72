"""Missingness: rates of missing cells in real and generated rows."""

from __future__ import annotations

from amodal.metrics import Metric, missingness
from amodal.report.context import ReportContext
from amodal.report.section import Result, Section


class MissingCells(Result):
    """Rates of missing cells.

    Attributes:
        columns: of the matrices.
        real: share of held-out rows that lack both of two columns, on the diagonal one.
        generated: the same of generated rows.
        rates: mean difference of columns' rates.
        pair_rates: mean difference of two columns' rates.
    """

    columns: list[str]
    real: list[list[float]]
    generated: list[list[float]]
    rates: Metric
    pair_rates: Metric


def compute(context: ReportContext) -> MissingCells:
    """Compare evaluated with generated rows; the ceiling is that of the reference rows."""
    real = context.evaluated.present.numpy()
    found = missingness(real, context.generated.present.numpy())
    ceiling = missingness(real, context.reference.present.numpy())
    return MissingCells(
        columns=list(context.modalities),
        real=found.real.tolist(),
        generated=found.generated.tolist(),
        rates=context.metric(
            found.rates,
            "missing rates",
            better="lower",
            description="Mean difference of the columns' shares of missing cells. Generated rows have none.",
            ceiling=ceiling.rates,
        ),
        pair_rates=context.metric(
            found.pair_rates,
            "missing pair rates",
            better="lower",
            description="Mean difference of the shares of rows that lack both of two columns.",
            ceiling=ceiling.pair_rates,
        ),
    )


SECTION = Section("missingness", "Missing cells", compute)
