"""Completion beside fills that need no model, as a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from amodal.report.results import ColumnCompletion, Reading

_TYPICAL = {"mean", "mode", "most frequent", "mean cell"}
_TYPICAL_CALLED = "typical cell"


@dataclass(frozen=True)
class FillRow:
    """A column's completion.

    Attributes:
        part: what was found.
        fills: of each of the table's fills, its score and whether it is the best of the row; None where there is none.
    """

    part: ColumnCompletion
    fills: list[tuple[Reading, bool] | None]


@dataclass(frozen=True)
class FillTable:
    """Completion of all columns.

    Attributes:
        fills: what they are called, one a column of the table.
        rows: one a column of the user's table.
        won: in how many the model is best.
    """

    fills: list[str]
    rows: list[FillRow]
    won: int


def fill_table(parts: Sequence[ColumnCompletion]) -> FillTable | None:
    """The table; None where no column was completed. The mean of numbers and the mode of labels share one column."""
    if not parts:
        return None
    names = list(dict.fromkeys(_called(fill.name) for part in parts for fill in part.baselines))
    rows = []
    for part in parts:
        found = {_called(fill.name): (fill, fill.name == part.best) for fill in part.baselines}
        rows.append(FillRow(part, [found.get(name) for name in names]))
    return FillTable(names, rows, sum(part.best == "model" for part in parts))


def _called(name: str) -> str:
    return _TYPICAL_CALLED if name in _TYPICAL else name
