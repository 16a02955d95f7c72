"""Cells that cannot be encoded, and their error."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from amodal.errors import DataError

__all__ = ["BadCell", "bad_cell_error", "is_bad_cell_list", "write_bad_cells"]

EXAMPLES = 3  # bad cells of a column in the message


@dataclass(frozen=True)
class BadCell:
    """A cell that cannot be encoded.

    Attributes:
        column: its column.
        row: its row's number, from 1; see `row_number`.
        cell: its text, shortened.
        reason: why it cannot be used.
    """

    column: str
    row: int
    cell: str
    reason: str


_HEADER = [field.name for field in fields(BadCell)]


def bad_cell_error(bad: Sequence[BadCell], source: str) -> DataError | None:
    """One error for all bad cells; None where there are none.

    Args:
        bad: the bad cells, in the order of the columns.
        source: the table's name in messages.

    Example:
        >>> print(bad_cell_error([BadCell("photo", 3, "3.png", "no such file")], "cats.csv"))
        cats.csv: 1 cell cannot be used.
          photo: 1 cell
            row 3: '3.png': no such file
        Pass bad_cells="missing" to treat them as missing.
    """
    lines = []
    if bad:
        lines += [f"{source}: {_cells(len(bad))} cannot be used."]
        for column in dict.fromkeys(cell.column for cell in bad):
            own = [cell for cell in bad if cell.column == column]
            lines += [f"  {column}: {_cells(len(own))}"]
            lines += [f"    row {cell.row}: {cell.cell!r}: {cell.reason}" for cell in own[:EXAMPLES]]
            lines += [f"    and {len(own) - EXAMPLES} more"] * (len(own) > EXAMPLES)
        lines += ['Pass bad_cells="missing" to treat them as missing.']
    return DataError("\n".join(lines)) if lines else None


def write_bad_cells(path: Path, bad: Sequence[BadCell]) -> None:
    """List bad cells as CSV: column, row, cell, reason."""
    with path.open("w", encoding="utf-8", newline="") as lines:
        writer = csv.writer(lines)
        writer.writerow(_HEADER)
        writer.writerows(astuple(cell) for cell in bad)


def is_bad_cell_list(path: Path) -> bool:
    """True for a file of `write_bad_cells`."""
    with path.open("rb") as lines:
        return lines.readline().rstrip() == ",".join(_HEADER).encode()


def _cells(count: int) -> str:
    return f"{count} cell" if count == 1 else f"{count} cells"
