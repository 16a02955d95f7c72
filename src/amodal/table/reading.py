"""Tables from files, folders and DataFrames."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import pandas as pd

from amodal.errors import DataError, examples
from amodal.table.column_names import check_names
from amodal.table.delimited import read_delimited
from amodal.table.json_lines import read_json_lines
from amodal.table.parquet import read_parquet

__all__ = ["SUFFIXES", "Table", "read_table", "row_number"]

READERS: Mapping[str, Callable[[Path], pd.DataFrame]] = {
    ".csv": partial(read_delimited, delimiter=","),
    ".tsv": partial(read_delimited, delimiter="\t"),
    ".jsonl": read_json_lines,
    ".parquet": read_parquet,
}
SUFFIXES = tuple(READERS)


def row_number(index: int) -> int:
    """The number of a row in messages and file names: the first row of data is row 1.

    Header and blank lines are not counted; "line" in a message is the file's line.

    Example:
        >>> row_number(0)
        1
    """
    return index + 1


@dataclass(frozen=True)
class Table:
    """Rows and columns of cells.

    Attributes:
        frame: the cells, rows numbered from 0. Missing cells, empty strings among them, are NA.
        root: the folder that paths in cells are relative to; None for a DataFrame without `media_root`.
        source: the table's name in messages.
        is_text: whether cells have no types, as those of CSV.
    """

    frame: pd.DataFrame
    root: Path | None
    source: str
    is_text: bool = False

    def __len__(self) -> int:
        return len(self.frame)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns' names, in order."""
        return tuple(self.frame.columns)

    def empty_rows(self, columns: Iterable[str]) -> list[int]:
        """Rows, from 0, in which every cell of these columns is missing.

        Example:
            >>> frame = pd.DataFrame({"a": ["x", "", None], "b": ["", "", "y"]})
            >>> read_table(frame).empty_rows(["a", "b"])
            [1]
        """
        missing = self.frame[list(columns)].isna().all(axis=1)
        return [int(row) for row in self.frame.index[missing]]


def read_table(data: str | Path | pd.DataFrame, media_root: str | Path | None = None) -> Table:
    """Read a table.

    Args:
        data: a .csv, .tsv, .jsonl or .parquet file, a folder with such a file named `metadata`, or a
            DataFrame (whose index is dropped). Every cell of CSV and TSV is text: "NA", "None" and "007"
            stay as they are.
        media_root: the folder that paths in cells are relative to; the table's own folder unless given.

    Returns:
        The table. Exactly the empty cells are missing, in any format.

    Raises:
        DataError: the file does not exist, is of another format or is broken; column names are blank or repeated;
            there are no columns or no rows.
    """
    root = Path(media_root) if media_root else None
    if isinstance(data, pd.DataFrame):
        return _table(data, root, "The DataFrame")
    path = _table_file(Path(data))
    table = _table(READERS[path.suffix.lower()](path), root or path.parent, str(path))
    return replace(table, is_text=path.suffix.lower() in (".csv", ".tsv"))


def _table_file(path: Path) -> Path:
    if path.is_dir():
        files = [path / f"metadata{suffix}" for suffix in SUFFIXES if (path / f"metadata{suffix}").is_file()]
        if not files:
            raise DataError(f"{path} holds no metadata{', metadata'.join(SUFFIXES)}.")
        if len(files) > 1:
            raise DataError(f"{path} holds {examples([file.name for file in files])}: name the one to read.")
        return files[0]
    if path.suffix.lower() not in READERS:
        raise DataError(
            f"{path} is not a table: {', '.join(SUFFIXES)} files are read, "
            "and folders with one named metadata."
        )
    if not path.is_file():
        raise DataError(f"{path}: no such file.")
    return path


def _table(frame: pd.DataFrame, root: Path | None, source: str) -> Table:
    frame = frame.set_axis(check_names(frame.columns, source), axis="columns").reset_index(drop=True)
    if not len(frame):
        raise DataError(f"{source} has no rows.")
    return Table(frame.apply(_without_blanks), root, source)


def _without_blanks(cells: pd.Series) -> pd.Series:
    if pd.api.types.is_numeric_dtype(cells.dtype) or pd.api.types.is_datetime64_any_dtype(cells.dtype):
        return cells
    if isinstance(cells.dtype, pd.StringDtype):
        return cells.mask(cells.eq("").fillna(False).astype(bool))
    # Cells may be arrays, whose comparison with a string is an array again.
    return cells.mask(cells.map(lambda cell: isinstance(cell, str) and not cell).astype(bool))
