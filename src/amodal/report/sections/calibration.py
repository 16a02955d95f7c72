"""Calibration of draws of hidden numbers."""

from __future__ import annotations

from amodal.metrics import Metric, MetricUnavailable, calibration
from amodal.report.context import ReportContext
from amodal.report.section import Result, Section


class CoverageMetric(Result):
    """Coverage of an interval of the draws.

    Attributes:
        nominal: the interval's level, 0 to 1.
        empirical: share of real numbers in it.
    """

    nominal: float
    empirical: Metric


class ColumnCalibration(Result):
    """Coverage of the intervals of a column of numbers."""

    column: str
    coverage: list[CoverageMetric]


def compute(context: ReportContext) -> list[ColumnCalibration]:
    """Compare intervals of 19 draws of each hidden number with the number."""
    numbers = [name for name in context.features if context.column(name).is_numeric]
    columns = context.per_column("calibration", _column, numbers)
    if not columns:
        raise MetricUnavailable("no column of numbers has enough cells")
    return columns


def _column(context: ReportContext, name: str) -> ColumnCalibration:
    column, draws = context.column(name), context.completions(name)
    truth = column.values(context.evaluated.column(name))
    drawn = column.values(draws.reshape(-1)).reshape(draws.shape)
    coverage = [
        CoverageMetric(
            nominal=each.nominal,
            empirical=context.metric(
                each.empirical,
                f"coverage of {each.nominal:.0%} intervals",
                description="Below the interval's level: overconfident draws; above: underconfident.",
            ),
        )
        for each in calibration(truth, drawn, seed=context.seed)
    ]
    return ColumnCalibration(column=name, coverage=coverage)


SECTION = Section("calibration", "Calibration", compute)
