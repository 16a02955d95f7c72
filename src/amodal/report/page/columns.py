"""Each column of the page: its scores, and real cells beside generated ones."""

from __future__ import annotations

from dataclasses import dataclass

from amodal.pages import Cell, Role
from amodal.report.examples import Shown, ShownRow
from amodal.report.page.cells import page_cell
from amodal.report.page.detail import Detail
from amodal.report.page.shapes import Bar, Histogram, bars, histogram
from amodal.report.results import (
    ColumnCalibration,
    ColumnFidelity,
    ColumnLikelihood,
    ColumnNote,
    Report,
)

_FILES_AND_TEXTS = ("image", "audio", "text")


@dataclass(frozen=True)
class Panel:
    """Cells of one kind of row; those at the same place of the generated and the nearest rows belong together."""

    heading: str
    cells: list[Cell]


@dataclass(frozen=True)
class ColumnSection:
    """What the page shows of a column.

    Attributes:
        note: what it is.
        fidelity: its scores; None where it has none.
        likelihood: None where it has none.
        calibration: None where it has none.
        histogram: of numbers.
        bars: of categories.
        panels: of pictures, sounds and texts: real, generated and nearest.
    """

    note: ColumnNote
    fidelity: ColumnFidelity | None
    likelihood: ColumnLikelihood | None
    calibration: ColumnCalibration | None
    histogram: Histogram | None
    bars: list[Bar]
    panels: list[Panel]


def column_sections(report: Report, shown: Shown, detail: Detail) -> list[ColumnSection]:
    """The sections of all columns that the model uses."""
    fidelity = {part.column: part for part in report.fidelity}
    likelihood = {part.column: part for part in report.likelihood}
    calibration = {part.column: part for part in report.calibration}
    sections = []
    for note in report.columns:
        if note.type is None:
            continue
        values = [of.get(note.name, ()) for of in (shown.real_values, shown.generated_values)]
        sections.append(
            ColumnSection(
                note=note,
                fidelity=fidelity.get(note.name),
                likelihood=likelihood.get(note.name),
                calibration=calibration.get(note.name),
                histogram=histogram(*values) if note.type == "number" else None,
                bars=bars(*values) if note.type == "category" else [],
                panels=_panels(note, shown, detail) if note.type in _FILES_AND_TEXTS else [],
            )
        )
    return sections


def _panels(note: ColumnNote, shown: Shown, detail: Detail) -> list[Panel]:
    # Sounds take more room than pictures and texts.
    most = -(-detail.cells // 3) if note.type == "audio" else detail.cells
    real = [row for row in shown.real if row.cells.get(note.name) is not None][:most]
    beside = shown.beside[:most]

    def panel(heading: str, rows: list[ShownRow], role: Role) -> Panel:
        cells = [page_cell(note.name, str(note.type), row.cells.get(note.name), role, detail) for row in rows]
        return Panel(heading, cells)

    panels = [
        panel("Real", real, "real"),
        panel("Generated", [pair.generated for pair in beside], "drawn"),
        panel(f"Nearest {shown.nearest_are} row", [pair.nearest for pair in beside], "real"),
    ]
    return [each for each in panels if each.cells]
