"""CSV, TSV and other delimited files, all cells as text."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from contextlib import contextmanager

import pandas as pd

from amodal.errors import DataError, UsageError, examples
from amodal.table.column_names import check_names
from amodal.table.text_files import Dialect, find_dialect

__all__ = ["read_delimited"]

ROWS_AT_ONCE = 50_000  # bounds the memory of Python's strings before they are pandas'
LONGEST_CELL = 2**31 - 1  # characters; the csv module's default is 131,072


def read_delimited(text: str, source: str, usual: str, sep: str | None = None) -> tuple[pd.DataFrame, str]:
    """Read a text whose first line names the columns.

    Parsed by the csv module, because pandas' parser silently fills rows that are too short.

    Args:
        text: the file's content.
        source: the table's name in messages.
        usual: the character between two cells by the file's suffix.
        sep: the character between two cells; found by default.

    Returns:
        Strings only, and a note where the delimiter is not the usual one. An empty cell is an empty string. Blank lines
        are skipped.

    Raises:
        UsageError: `sep` is not one character.
        DataError: broken quotes, rows with too many or too few cells, bad column names.
    """
    if sep is not None and (len(sep) != 1 or sep in '"\r\n'):
        raise UsageError(f"sep must be one character, not {sep!r}.")
    with _long_cells():
        dialect = find_dialect(text, usual, source) if sep is None else Dialect(sep)
        lines = io.StringIO(text, newline="")
        lines.seek(dialect.skipped)
        reader = csv.reader(lines, delimiter=dialect.delimiter, strict=True)
        try:
            header = next((row for row in reader if row), [])
            names = check_names(header, source)
            parts = list(_parts(reader, names, source))
        except csv.Error as problem:
            raise DataError(f"{source}, line {reader.line_num}: {problem}.") from None
    return pd.concat(parts, ignore_index=True), dialect.note


def _parts(reader: Iterator[list[str]], names: list[str], source: str) -> Iterator[pd.DataFrame]:
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
            f"{source}: {len(ragged)} rows do not have {len(names)} cells like the header: "
            f"{examples(ragged)}. Put cells with the delimiter or a line end in them between "
            'quotes, or name the delimiter, as in sep=";".'
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
