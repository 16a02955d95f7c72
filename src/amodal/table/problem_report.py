"""All that is wrong with a table's cells, in one error."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from amodal.errors import DataError, examples
from amodal.table.reading import row_number

__all__ = ["BadCell", "cell_problem", "lists_bad_cells", "write_bad_cells"]

SHOWN = 3  # bad cells of a column that the message shows


@dataclass(frozen=True)
class BadCell:
    """A cell that cannot be turned into a tensor.

    Attributes:
        column: its column.
        row: its row's number as messages count it, from 1.
        cell: what stands there, shortened.
        reason: why it cannot be used.
    """

    column: str
    row: int
    cell: str
    reason: str


_HEADER = [field.name for field in fields(BadCell)]


def cell_problem(bad: Sequence[BadCell], empty_rows: Sequence[int], source: str) -> DataError | None:
    """Compose the one error; None when there is nothing to say.

    Args:
        bad: the bad cells, in the order of the columns.
        empty_rows: the rows, from 0, that have no cell.
        source: what the table is called.

    Example:
        >>> print(cell_problem([BadCell("photo", 3, "3.png", "no such file")], [], "cats.csv"))
        cats.csv: 1 cell cannot be used.
          photo: 1 cell
            row 3: '3.png': no such file
        Pass bad_cells="missing" to treat them as missing.
    """
    lines = []
    if bad:
        lines += [f"{source}: {_cells(len(bad))} cannot be used."]
        for column in dict.fromkeys(cell.column for cell in bad):
            here = [cell for cell in bad if cell.column == column]
            lines += [f"  {column}: {_cells(len(here))}"]
            lines += [f"    row {cell.row}: {cell.cell!r}: {cell.reason}" for cell in here[:SHOWN]]
            lines += [f"    and {len(here) - SHOWN} more"] * (len(here) > SHOWN)
        lines += ['Pass bad_cells="missing" to treat them as missing.']
    if empty_rows:
        shown = examples([row_number(row) for row in empty_rows])
        lines += [
            f"{source}: {len(empty_rows)} of the rows have no usable cell in any column that is used "
            f"(row {shown}). Remove them, for there is nothing to learn from them."
        ]
    return DataError("\n".join(lines)) if lines else None


def write_bad_cells(path: Path, bad: Sequence[BadCell]) -> None:
    """List bad cells as CSV: column, row, cell, reason."""
    with path.open("w", encoding="utf-8", newline="") as lines:
        writer = csv.writer(lines)
        writer.writerow(_HEADER)
        writer.writerows(astuple(cell) for cell in bad)


def lists_bad_cells(path: Path) -> bool:
    """Whether `write_bad_cells` wrote a file."""
    with path.open("rb") as lines:
        return lines.readline().rstrip() == ",".join(_HEADER).encode()


def _cells(count: int) -> str:
    return f"{count} cell" if count == 1 else f"{count} cells"
