"""Rows as the page shows them: whole generated ones, and each column from each other one."""

from __future__ import annotations

from dataclasses import dataclass

from amodal.evaluation.page.cells import page_cell
from amodal.evaluation.page.detail import Detail
from amodal.evaluation.report import Report
from amodal.evaluation.shown import Shown
from amodal.pages import Cell

_ROWS = 6


@dataclass(frozen=True)
class Drawn:
    """A cell that was drawn, and the row's own."""

    drawn: Cell
    real: Cell


@dataclass(frozen=True)
class Translation:
    """Columns drawn from one given cell.

    Attributes:
        given: the cell.
        row: its row's number in the table, from 1.
        targets: what was drawn from it.
    """

    given: Cell
    row: int
    targets: list[Drawn]


def whole_rows(report: Report, shown: Shown, detail: Detail) -> list[list[Cell]]:
    """Some generated rows, all cells of each."""
    types = _types(report)
    return [
        [page_cell(name, kind, pair.generated.cells.get(name), "drawn", detail) for name, kind in types.items()]
        for pair in shown.beside[: min(_ROWS, detail.cells)]
    ]


def translations(report: Report, shown: Shown, detail: Detail) -> list[Translation]:
    """What was drawn from single cells, by the given cell; pictures and sounds first where there are too many."""
    types = _types(report)
    known = [pair for pair in shown.translated if pair.given in types and pair.target in types]
    files = {"image": 0, "audio": 0, "text": 1}
    known.sort(key=lambda pair: files.get(types[pair.target], 2) + files.get(types[pair.given], 2))
    by_cell: dict[tuple[str, int], list[Drawn]] = {}
    givens: dict[tuple[str, int], Cell] = {}
    for pair in known[: detail.pairs]:
        place = (pair.given, pair.row.row)
        kind = types[pair.target]
        if place not in givens:
            cell = pair.row.cells.get(pair.given)
            givens[place] = page_cell(pair.given, types[pair.given], cell, "given", detail)
        by_cell.setdefault(place, []).append(
            Drawn(
                page_cell(pair.target, kind, pair.drawn, "drawn", detail),
                page_cell(pair.target, kind, pair.row.cells.get(pair.target), "real", detail),
            )
        )
    order = list(types)
    found = [Translation(givens[place], place[1] + 1, drawn) for place, drawn in by_cell.items()]
    return sorted(found, key=lambda each: order.index(each.given.column))


def _types(report: Report) -> dict[str, str]:
    return {note.name: note.type for note in report.columns if note.type is not None}
