"""Tables from files, folders, addresses and objects of Python."""

from __future__ import annotations

import logging
import re
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from functools import cached_property
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO, TypedDict

import pandas as pd

from amodal.errors import DataError, UsageError, examples
from amodal.media import media_folder
from amodal.table.column_names import check_names
from amodal.table.columns import plain
from amodal.table.delimited import read_delimited
from amodal.table.excel import read_excel
from amodal.table.frames import Form, frame_of
from amodal.table.json_lines import read_json_lines
from amodal.table.parquet import read_parquet
from amodal.table.text_files import decode

__all__ = ["SUFFIXES", "ReadOptions", "Table", "is_address", "read_table", "row_number"]

_DELIMITERS = {".csv": ",", ".tsv": "\t", ".tab": "\t", ".txt": ","}
SUFFIXES = (*_DELIMITERS, ".jsonl", ".ndjson", ".parquet", ".xlsx")
_IN_FOLDERS = (".csv", ".tsv", ".jsonl", ".parquet")
_SPLITS = ("train", "training", "validation", "valid", "dev", "test", "testing", "eval")
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]+://", re.IGNORECASE)
FILE_NAME = "_file_name"
"""Ending of the names of columns by which `datasets` knows files."""
MEDIA_ROOT = "media_root"
"""Key of a frame's `attrs`: the folder that its paths are relative to."""
_log = logging.getLogger("amodal")


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
        root: the folder that paths in cells are relative to; see `amodal.media.locate`.
        source: the table's name in messages.
        form: the caller's form of the table; by default a file's.
        cells: the same cells as the caller has them, of the same dtypes; `frame` by default.
    """

    frame: pd.DataFrame
    root: Path | None
    source: str
    form: Form | None = None
    cells: pd.DataFrame | None = None

    def __len__(self) -> int:
        return len(self.frame)

    @property
    def is_text(self) -> bool:
        """True where cells have no types, as those of CSV."""
        return self.form is not None and self.form.kind == "text"

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns' names, in order."""
        return tuple(self.frame.columns)

    @cached_property
    def labels(self) -> dict[str, Hashable]:
        """Column name -> the caller's label, which may be a number or a tuple."""
        labels = self.columns if self.form is None else self.form.labels
        return dict(zip(self.columns, labels, strict=True))

    def empty_rows(self, columns: Iterable[str]) -> list[int]:
        """Rows, from 0, in which every cell of these columns is missing.

        Example:
            >>> frame = pd.DataFrame({"a": ["x", "", None], "b": ["", "", "y"]})
            >>> read_table(frame).empty_rows(["a", "b"])
            [1]
        """
        missing = self.frame[list(columns)].isna().all(axis=1)
        return [int(row) for row in self.frame.index[missing]]


class ReadOptions(TypedDict, total=False):
    """Keywords of `read_table` that any method which reads a table takes."""

    sep: str | None
    encoding: str | None
    follow_links: bool


def read_table(
    data: Any,
    media_root: str | Path | None = None,
    *,
    sep: str | None = None,
    encoding: str | None = None,
    follow_links: bool = False,
) -> Table:
    """Read a table.

    Args:
        data: a .csv, .tsv, .txt, .jsonl, .parquet or .xlsx file, its address (`https://`, `s3://` and others of
            fsspec), a folder with such a file named `metadata`, or a table-like object (see `frames`). Every cell of
            CSV and TSV is text: "NA", "None" and "007" stay as they are.
        media_root: the folder that paths in cells are relative to, and that their files must lie in; the table's own
            unless given, or the working folder for a table that has none. Where it holds the table's folder, paths may
            be relative to that too.
        sep: the character between two cells of a text file; found by default.
        encoding: of a text file, as Python names it; found by default: UTF-8, UTF-16, cp1252.
        follow_links: symbolic links may lead out of that folder, as in a cache of Hugging Face or DVC.

    Returns:
        The table. Exactly the empty cells are missing, in any format.

    Raises:
        UsageError: the object is no table, or an extra package is missing.
        DataError: the file does not exist, is of another format or is broken; column names are blank or repeated;
            there are no columns or no rows.
    """
    root = None if media_root is None else _folder(media_root)
    if not isinstance(data, str | Path):
        cells, form = frame_of(data)
        if root is None and isinstance(data, pd.DataFrame) and MEDIA_ROOT in data.attrs:
            root = Path(data.attrs[MEDIA_ROOT])
        return _table(cells, media_folder(root or Path(), None, follow_links), form.source, form)
    if is_address(data):
        source, own = str(data), None
        suffix = _suffix(source.split("?")[0].split("#")[0], source)
        content: BinaryIO | Path = _download(source)
    else:
        path = _table_file(Path(data))
        content, source, own, suffix = path, str(path), path.parent, path.suffix.lower()
    frame, note = _read(content, source, suffix, sep, encoding)
    if note:
        _log.warning(note)
    frame = _without_repeated_files(frame)
    names = check_names(frame.columns, source)
    form = Form("text" if suffix in _DELIMITERS else "values", source, tuple(names))
    frame = frame.set_axis(names, axis="columns")
    nested = (
        own if root is not None and own is not None and own.resolve().is_relative_to(root.resolve()) else None
    )
    folder = root or own or Path()
    return _table(
        frame, media_folder(folder, nested if nested != folder else None, follow_links), source, form
    )


def is_address(data: object) -> bool:
    """True for an address such as https://example.org/table.csv or s3://bucket/table.parquet."""
    return isinstance(data, str) and _ADDRESS.match(data) is not None


def _folder(media_root: str | Path) -> Path:
    return media_root if isinstance(media_root, Path) else Path(media_root)


def _suffix(name: str, source: str) -> str:
    suffix = Path(name).suffix.lower()
    if suffix not in SUFFIXES:
        raise DataError(
            f"{source} is not a table: {', '.join(SUFFIXES)} files are read, and folders with one named metadata."
        )
    return suffix


def _download(address: str) -> BinaryIO:
    import fsspec

    try:
        with fsspec.open(address, "rb") as file:
            return BytesIO(file.read())
    except (ImportError, ValueError) as problem:
        raise UsageError(f"{address} cannot be read: {problem}") from None
    except FileNotFoundError:
        raise DataError(f"{address}: no such file.") from None
    except Exception as problem:
        raise DataError(f"{address} cannot be read: {problem or type(problem).__name__}") from problem


def _read(
    content: BinaryIO | Path, source: str, suffix: str, sep: str | None, encoding: str | None
) -> tuple[pd.DataFrame, str]:
    if suffix == ".parquet":
        return read_parquet(content, source), ""
    if suffix == ".xlsx":
        return read_excel(content, source)
    raw = content.read_bytes() if isinstance(content, Path) else content.read()
    text, note = decode(raw, source, encoding)
    if suffix not in _DELIMITERS:
        return read_json_lines(text, source), note
    frame, found = read_delimited(text, source, _DELIMITERS[suffix], sep)
    return frame, " ".join(filter(None, [note, found]))


def _table_file(path: Path) -> Path:
    if path.is_dir():
        return _metadata(path)
    _suffix(path.name, str(path))
    if not path.is_file():
        raise DataError(f"{path}: no such file.")
    return path


def _metadata(folder: Path) -> Path:
    """The file of a folder's table, or of its training split."""
    files = [
        folder / f"metadata{suffix}" for suffix in _IN_FOLDERS if (folder / f"metadata{suffix}").is_file()
    ]
    if len(files) > 1:
        raise DataError(f"{folder} holds {examples([file.name for file in files])}: name the one to read.")
    if files:
        return files[0]
    splits = [
        name
        for name in _SPLITS
        if any((folder / name / f"metadata{suffix}").is_file() for suffix in _IN_FOLDERS)
    ]
    if not splits:
        raise DataError(f"{folder} holds no metadata{', metadata'.join(_IN_FOLDERS)}.")
    if len(splits) > 1:
        _log.warning(
            f"{folder} holds the splits {', '.join(splits)}: {folder / splits[0]} is read; name another to read that."
        )
    return _metadata(folder / splits[0])


def _table(cells: pd.DataFrame, root: Path | None, source: str, form: Form) -> Table:
    if not len(cells):
        raise DataError(f"{source} has no rows.")
    for name in cells.columns[[dtype.kind == "c" for dtype in cells.dtypes]]:
        raise DataError(
            f"{source}: column {name!r} holds complex numbers, which no column type takes: split them into two "
            "columns, real and imaginary."
        )
    frame = pd.DataFrame({name: _without_blanks(cells[name]) for name in cells.columns}, index=cells.index)
    return Table(frame, root, source, form, frame if form.kind == "text" else cells)


def _without_repeated_files(frame: pd.DataFrame) -> pd.DataFrame:
    """The columns but those that repeat another under `datasets`' name for files, as `write_table` adds them."""
    repeated = [
        name
        for name in frame.columns
        if isinstance(name, str)
        and name.endswith(FILE_NAME)
        and (own := name.removesuffix(FILE_NAME)) in frame.columns
        and frame[name].equals(frame[own])
    ]
    return frame.drop(columns=repeated)


def _without_blanks(cells: pd.Series) -> pd.Series:
    cells = plain(cells)
    if pd.api.types.is_numeric_dtype(cells.dtype) or pd.api.types.is_datetime64_any_dtype(cells.dtype):
        return cells
    if isinstance(cells.dtype, pd.StringDtype):
        return cells.mask(cells.eq("").fillna(False).astype(bool))
    # Cells may be arrays, whose comparison with a string is an array again.
    return cells.mask(cells.map(_is_blank).astype(bool))


def _is_blank(cell: Any) -> bool:
    if isinstance(cell, dict) and {"bytes", "path"} <= set(cell):
        return not cell["bytes"] and not cell["path"]
    return isinstance(cell, str) and not cell
