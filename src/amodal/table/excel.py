"""Excel workbooks."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

import pandas as pd

from amodal.errors import DataError, UsageError
from amodal.table.columns import column_of

__all__ = ["read_excel"]


def read_excel(content: BinaryIO | Path, source: str) -> tuple[pd.DataFrame, str]:
    """Read the first sheet that has cells, whose first row names the columns.

    Args:
        content: the workbook (.xlsx).
        source: the table's name in messages.

    Returns:
        The columns; numbers, dates and truth values as Excel has them. A note names the sheet where there are several.

    Raises:
        UsageError: openpyxl is not installed.
        DataError: the file is no workbook, or has no cells.
    """
    try:
        import openpyxl
    except ImportError:
        raise UsageError(
            f"{source} is read with openpyxl: pip install 'amodal[excel]', or save it as CSV."
        ) from None
    from zipfile import BadZipFile

    try:
        book = openpyxl.load_workbook(content, read_only=True, data_only=True)
    except (
        BadZipFile,
        KeyError,
        ValueError,
        OSError,
        openpyxl.utils.exceptions.InvalidFileException,
    ) as problem:
        raise DataError(f"{source} cannot be read as an Excel workbook: {problem}") from None
    try:
        for sheet in book.worksheets:
            rows = [row for row in sheet.iter_rows(values_only=True) if any(cell is not None for cell in row)]
            if rows:
                note = f"{source}: the sheet {sheet.title!r} is read, one of {len(book.worksheets)}."
                return _frame(rows), note if len(book.worksheets) > 1 else ""
    finally:
        book.close()
    raise DataError(f"{source} has no cells.")


def _frame(rows: list[tuple[object, ...]]) -> pd.DataFrame:
    used = max(
        len(row) - next((at for at, cell in enumerate(reversed(row)) if cell is not None), 0) for row in rows
    )
    names, cells = rows[0][:used], rows[1:]
    columns = {position: column_of([row[position] for row in cells]) for position in range(used)}
    frame = pd.DataFrame(columns, index=pd.RangeIndex(len(cells)))
    return frame.set_axis(["" if name is None else name for name in names], axis="columns")
