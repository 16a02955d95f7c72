"""Input of the sections' views: report, examples and level of detail."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from amodal.metrics import ColumnMetrics
from amodal.pages import Cell, Role
from amodal.report.examples import ReportExamples
from amodal.report.page.cells import render_cell
from amodal.report.page.detail import Detail

if TYPE_CHECKING:
    from amodal.report.report import Report


@dataclass(frozen=True)
class PageView:
    """Input of the sections' views.

    Attributes:
        report: all results.
        examples: cells to show.
        columns: column -> metrics and display of its type, in the table's order.
        detail: limits of cells.
    """

    report: Report
    examples: ReportExamples
    columns: Mapping[str, ColumnMetrics]
    detail: Detail

    def cell(self, column: str, cell: Any, role: Role) -> Cell:
        """A cell of a column."""
        return render_cell(column, self.columns[column].display, cell, role, self.detail)
