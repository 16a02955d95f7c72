"""Fidelity of each column's generated cells: whether they are like real ones, and as varied."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from amodal.metrics import (
    FIDELITY,
    Estimate,
    Metric,
    impute_typical,
    shuffled_values,
    subsample,
)
from amodal.pages import Cell, Role
from amodal.report.context import ReportContext
from amodal.report.examples import Example
from amodal.report.page.charts import bars, histogram
from amodal.report.page.view import PageView
from amodal.report.section import Result, Section


class ColumnFidelity(Result):
    """Distances of a column's cells, generated with nothing given, from real ones.

    Attributes:
        column: its name.
        type: its type.
        metrics: those of its type; see `amodal.metrics.by_type`.
    """

    column: str
    type: str
    metrics: list[Metric]


def compute(context: ReportContext) -> list[ColumnFidelity]:
    """Compare each column's generated cells with the evaluated rows'.

    The ceiling is that of as many reference cells. The floor is the worse of two random baselines: one typical cell
    repeated, which is not varied, and each value of a cell taken from another row, which looks like nothing real.
    """
    return context.per_column("fidelity", _column, context.features)


def _column(context: ReportContext, name: str) -> ColumnFidelity:
    column, features, seed = context.column(name), context.features[name], context.seed
    batches = (context.evaluated, context.reference, context.generated)
    cells = [batch.column(name) for batch in batches]
    # Few rows make distances larger: only those of as many rows compare.
    rows = min(map(len, cells))
    real, reference, generated = (each[subsample(len(each), seed, rows)] for each in cells)

    def compare(other: Tensor) -> dict[str, Estimate]:
        return column.fidelity(features, real, other, seed)

    estimates, ceilings = compare(generated), compare(reference)
    baselines = {
        "one typical cell repeated": compare(impute_typical(column.modality, reference, len(reference)))
    }
    # A number or label is one value a cell: shuffled, the same column.
    if not column.is_scalar:
        baselines["values shuffled over rows"] = compare(shuffled_values(reference, seed))
    metrics = []
    for metric, estimate in estimates.items():
        better, unit, description = FIDELITY[metric]
        kind = _worst(baselines, metric, worst=max if better == "lower" else min)
        metrics.append(
            context.metric(
                estimate,
                metric,
                better=better,
                unit=unit,
                description=description,
                ceiling=ceilings.get(metric),
                floor=baselines[kind][metric] if kind else None,
                floor_kind=kind,
            )
        )
    return ColumnFidelity(column=name, type=column.modality.type, metrics=metrics)


def _worst(baselines: Mapping[str, Mapping[str, Estimate]], metric: str, worst: Any) -> str:
    """The baseline of the worst value; empty where none has the metric."""
    kinds = [kind for kind, estimates in baselines.items() if metric in estimates]
    return worst(kinds, key=lambda kind: baselines[kind][metric].value, default="")


def view(result: list[ColumnFidelity], page: PageView) -> dict[str, Any]:
    """Metrics, cells and the distribution of each column."""
    metrics = {each.column: each.metrics for each in result}
    examples = page.examples
    columns = []
    for info in page.report.columns:
        if info.type is None:
            continue
        column = page.columns[info.name]
        values = [each.get(info.name, ()) for each in (examples.real_values, examples.generated_values)]
        columns.append(
            {
                "info": info,
                "metrics": metrics.get(info.name, []),
                "histogram": histogram(*values) if column.is_numeric else None,
                "bars": bars(*values) if column.is_categorical else [],
                "panels": {} if column.is_scalar else _panels(info.name, page),
                "display": column.display,
            }
        )
    return {"columns": columns}


def _panels(name: str, page: PageView) -> dict[str, list[Cell]]:
    """Real, generated and nearest cells by heading; generated and nearest ones at the same place belong together."""
    # Sounds take more room than images and texts.
    most = -(-page.detail.cells // 3) if page.columns[name].display == "audio" else page.detail.cells
    examples = page.examples
    real = [example for example in examples.real if example.cells.get(name) is not None]
    panels: dict[str, tuple[list[Example], Role]] = {
        "Real": (real, "real"),
        "Generated": (examples.generated, "drawn"),
        f"Nearest {examples.nearest_source} row": (examples.nearest, "real"),
    }
    return {
        heading: [page.cell(name, example.cells.get(name), role) for example in rows[:most]]
        for heading, (rows, role) in panels.items()
        if rows
    }


SECTION = Section("fidelity", "Columns", compute, view)
