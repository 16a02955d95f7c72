"""Fidelity of each column's generated cells: whether they are like real ones, and as varied."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from amodal.metrics import Estimate, Metric, column_fidelity
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
    """Compare each column's generated cells with the evaluated rows'; see `column_fidelity`."""
    return context.per_column("fidelity", _column, context.features)


def _column(context: ReportContext, name: str) -> ColumnFidelity:
    modality = context.modalities[name]
    metrics = column_fidelity(
        modality,
        context.fidelity_features[name],
        context.table_cells("evaluated", name),
        context.table_cells("reference", name),
        context.generated.column(name),
        scaled=context.reference.column(name),
        seed=context.seed,
    )
    return ColumnFidelity(
        column=name, type=modality.type, metrics=[context.metric(each, **_about(each)) for each in metrics]
    )


def _about(metric: Metric) -> dict[str, Any]:
    """All of a metric but its estimate."""
    estimate = {field.name for field in fields(Estimate)}
    return {name: value for name, value in vars(metric).items() if name not in estimate}


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
