"""Rows as the page shows them: whole generated ones, and each column from each other one."""

from __future__ import annotations

from dataclasses import dataclass

from amodal.pages import Cell
from amodal.report.examples import Shown, ShownRow, Translated
from amodal.report.page.cells import page_cell
from amodal.report.page.detail import Detail
from amodal.report.results import Report

_ROWS = 6


@dataclass(frozen=True)
class Line:
    """What was drawn from one cell.

    Attributes:
        given: the cell's column.
        cells: one a column: the given cell itself, and the drawn ones; None where none was drawn.
    """

    given: str
    cells: list[Cell | None]


@dataclass(frozen=True)
class Translation:
    """A real row, and its other cells drawn from each of its cells alone.

    Attributes:
        row: its number in the table, from 1.
        columns: of all cells.
        real: its own cells.
        lines: one a given cell.
    """

    row: int
    columns: list[str]
    real: list[Cell]
    lines: list[Line]


def whole_rows(report: Report, shown: Shown, detail: Detail) -> list[list[Cell]]:
    """Some generated rows, all cells of each."""
    types = _types(report)
    return [
        [
            page_cell(name, kind, pair.generated.cells.get(name), "drawn", detail)
            for name, kind in types.items()
        ]
        for pair in shown.beside[: min(_ROWS, detail.cells)]
    ]


def translations(report: Report, shown: Shown, detail: Detail) -> list[Translation]:
    """Real rows with what was drawn from single cells of them; pictures and sounds first where there are too many."""
    types = _types(report)
    first = {"image": 0, "audio": 0, "text": 1}

    def order(pair: Translated) -> int:
        return first.get(types[pair.target], 2) + first.get(types[pair.given], 2)

    known = [pair for pair in shown.translated if pair.given in types and pair.target in types]
    kept = sorted(known, key=order)[: detail.pairs]
    rows: dict[int, ShownRow] = {pair.row.row: pair.row for pair in kept}
    return [_translation(row, kept, types, detail) for row in rows.values()]


def _translation(
    row: ShownRow, pairs: list[Translated], types: dict[str, str], detail: Detail
) -> Translation:
    drawn = {(pair.given, pair.target): pair.drawn for pair in pairs if pair.row.row == row.row}
    columns = [name for name in types if any(name in pair for pair in drawn)]

    def cell(given: str, target: str) -> Cell | None:
        if given == target:
            return page_cell(given, types[given], row.cells.get(given), "given", detail)
        if (given, target) not in drawn:
            return None
        return page_cell(target, types[target], drawn[given, target], "drawn", detail)

    return Translation(
        row.row + 1,
        columns,
        [page_cell(name, types[name], row.cells.get(name), "real", detail) for name in columns],
        [
            Line(given, [cell(given, target) for target in columns])
            for given in columns
            if any(given == source for source, _ in drawn)
        ],
    )


def _types(report: Report) -> dict[str, str]:
    return {note.name: note.type for note in report.columns if note.type is not None}
