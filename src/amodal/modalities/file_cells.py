"""Cells that are paths of files, some of which may not open."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path, PurePath
from threading import Lock
from typing import Any, TypeVar

import pandas as pd

from amodal.errors import BadCells, DataError, RejectColumn, UnreadableCell, examples
from amodal.media import locate

T = TypeVar("T")
_MIN_SHARE = 0.8
"""Share of a column's sampled cells that must open, or have the suffix of such files."""
_small_files = Lock()


def _read(
    cells: pd.Series[Any], root: Path | None, read: Callable[[Path], T]
) -> tuple[list[T], dict[int, str]]:
    """The contents of the files that open, in order, and position -> reason of the others."""
    contents, reasons = [], {}
    for position, cell in enumerate(cells):
        try:
            contents.append(read(locate(cell, root)))
        except UnreadableCell as problem:
            reasons[position] = str(problem)
    return contents, reasons


def read_files(
    cells: pd.Series[Any], root: Path | None, read: Callable[[Path], T], *, small: int = 0
) -> list[T]:
    """Read the files that cells name.

    Args:
        cells: paths.
        root: the folder that they are relative to.
        read: reads one file.
        small: bytes, by the first file, below which only one thread at a time reads. The work on a small file is
            in pieces so short that threads spend more on passing the interpreter's lock than they gain:
            utterances of half a second took 0.7 s with two threads and 0.4 s with one.

    Raises:
        BadCells: some cannot be read.
    """
    with _small_files if _first_size(cells, root) < small else nullcontext():
        contents, reasons = _read(cells, root, read)
    if reasons:
        raise BadCells(reasons)
    return contents


def _first_size(cells: pd.Series[Any], root: Path | None) -> int:
    try:
        return locate(cells.iloc[0], root).stat().st_size if len(cells) else 0
    except (UnreadableCell, OSError):
        return 0


def read_sample(
    cells: pd.Series[Any], root: Path | None, read: Callable[[Path], T], count: int = 200
) -> list[T]:
    """Read up to `count` of the files, evenly spread over the column, except those that do not open.

    Raises:
        RejectColumn: none opens.
    """
    step = max(1, len(cells) // count)
    contents, reasons = _read(cells.iloc[::step].iloc[:count], root, read)
    if not contents:
        raise RejectColumn(f"no file opens: {examples(list(reasons.values()))}")
    return contents


def detect_files(
    cells: pd.Series[Any],
    root: Path | None,
    read: Callable[[Path], object],
    type_: str,
    suffixes: Sequence[str],
) -> str:
    """The reason why cells are files of a type: at least four in five open.

    Raises:
        RejectColumn: they are not paths of such files.
        DataError: they are by their names, but the files do not open, so that any other type would be wrong.
    """
    contents, reasons = _read(cells, root, read)
    if len(contents) >= _MIN_SHARE * len(cells):
        return f"{len(contents)} of {len(cells)} sampled cells open as {type_} files"
    named = cells.map(lambda cell: isinstance(cell, str) and PurePath(cell).suffix.lower() in suffixes)
    if named.mean() >= _MIN_SHARE:
        first = [f"{cells.iloc[position]!r} {reason}" for position, reason in reasons.items()]
        raise DataError(
            f"names {type_} files, but only {len(contents)} of {len(cells)} open: {examples(first)}. "
            "Paths are relative to the table's folder; --media-root names another, and "
            "--type COLUMN=text takes the paths as texts"
        )
    raise RejectColumn(f"{len(contents)} of {len(cells)} sampled cells open as {type_} files")
