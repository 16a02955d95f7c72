"""CSV and TSV files, all cells as text."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd

from amodal.errors import DataError, examples
from amodal.table.column_names import check_names
from amodal.table.utf8 import open_utf8

__all__ = ["read_delimited"]

ROWS_AT_ONCE = 50_000  # bounds the memory of Python's strings before they are pandas'
LONGEST_CELL = 2**31 - 1  # characters; the csv module's default is 131,072


def read_delimited(path: Path, delimiter: str) -> pd.DataFrame:
    """Read a file whose first line names the columns.

    Parsed by the csv module, because pandas' parser silently fills rows that are too short.

    Args:
        path: the file.
        delimiter: the character between two cells, "," or a tab.

    Returns:
        Strings only. An empty cell is an empty string. Blank lines are skipped.

    Raises:
        DataError: not UTF-8, broken quotes, rows with too many or too few cells, bad column names.
    """
    with _long_cells(), open_utf8(path) as lines:
        reader = csv.reader(lines, delimiter=delimiter, strict=True)
        try:
            header = next((row for row in reader if row), [])
            names = check_names(header, str(path))
            parts = list(_parts(reader, names, path))
        except csv.Error as problem:
            raise DataError(f"{path}, line {reader.line_num}: {problem}.") from None
    return pd.concat(parts, ignore_index=True)


def _parts(reader: Iterator[list[str]], names: list[str], path: Path) -> Iterator[pd.DataFrame]:
    rows: list[list[str]] = []
    ragged: list[str] = []
    for row in reader:
        if len(row) == len(names):
            rows.append(row)
        elif row:
            ragged.append(f"line {reader.line_num} has {len(row)}")  # type: ignore[attr-defined]
        if len(rows) == ROWS_AT_ONCE:
            yield _frame(rows, names)
            rows = []
    if ragged:
        raise DataError(
            f"{path}: {len(ragged)} rows do not have {len(names)} cells like the header: "
            f"{examples(ragged)}. Put cells with the delimiter or a line end in them between quotes."
        )
    yield _frame(rows, names)


def _frame(rows: list[list[str]], names: list[str]) -> pd.DataFrame:
    columns = zip(*rows, strict=True) if rows else ((),) * len(names)
    return pd.DataFrame(
        {name: pd.Series(list(cells), dtype="str") for name, cells in zip(names, columns, strict=True)}
    )


@contextmanager
def _long_cells() -> Iterator[None]:
    before = csv.field_size_limit(LONGEST_CELL)
    try:
        yield
    finally:
        csv.field_size_limit(before)
