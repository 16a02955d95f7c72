"""Cells that are images or sounds, some of which may not open."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from threading import Lock
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from amodal.errors import BadCells, DataError, RejectColumn, UnreadableCell, examples, shorten
from amodal.media import cell_size, cell_text, is_media, suffix_of, unreadable_media

T = TypeVar("T")
Open = Callable[[Any, Path | None], T]
"""Opens one cell, given the folder that paths are relative to."""
_MIN_SHARE = 0.8
"""Share of a column's sampled cells that must open, or have the suffix of such files."""
_LONGEST = 60
"""Characters of a cell in a message."""
_small_files = Lock()


def _read(cells: pd.Series[Any], root: Path | None, read: Open[T]) -> tuple[list[T], dict[int, str]]:
    """The contents of the cells that open, in order, and position -> reason of the others."""
    contents, reasons = [], {}
    for position, cell in enumerate(cells):
        try:
            contents.append(read(cell, root))
        except UnreadableCell as problem:
            reasons[position] = str(problem)
    return contents, reasons


def read_files(cells: pd.Series[Any], root: Path | None, read: Open[T], *, small: int = 0) -> list[T]:
    """Open cells.

    Args:
        cells: paths, or images or sounds of any other form; see `amodal.media.cells`.
        root: the folder that paths are relative to.
        read: opens one cell.
        small: bytes, by the first file, below which only one thread at a time reads. The work on a small file is
            in pieces so short that threads spend more on passing the interpreter's lock than they gain:
            utterances of half a second took 0.7 s with two threads and 0.4 s with one.

    Raises:
        BadCells: some cannot be read.
    """
    with _small_files if (len(cells) and cell_size(cells.iloc[0], root)) < small else nullcontext():
        contents, reasons = _read(cells, root, read)
    if reasons:
        raise BadCells(reasons)
    return contents


def read_sample(cells: pd.Series[Any], root: Path | None, read: Open[T], count: int = 200) -> list[T]:
    """Open up to `count` of the cells, evenly spread over the column, except those that do not open.

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
    read: Open[object],
    type_: str,
    suffixes: Sequence[str],
) -> str:
    """The reason why cells are images or sounds: at least four in five open.

    Raises:
        RejectColumn: they are not.
        DataError: they are by their names or types, but do not open, so that any other type would be wrong.
    """
    contents, reasons = _read(cells, root, read)
    if len(contents) >= _MIN_SHARE * len(cells):
        return f"{len(contents)} of {len(cells)} sampled cells open as {type_} files"
    first = [f"{shorten(cell_text(cells.iloc[at]), _LONGEST)!r} {reason}" for at, reason in reasons.items()]
    if cells.map(lambda cell: suffix_of(cell) in suffixes).mean() >= _MIN_SHARE:
        raise DataError(
            f"names {type_} files, but only {len(contents)} of {len(cells)} open: {examples(first)}. "
            "Paths are relative to the table's folder; media_root=FOLDER names another, and "
            'types={"COLUMN": "text"} takes the paths as texts'
        )
    raise RejectColumn(f"{len(contents)} of {len(cells)} sampled cells open as {type_} files")


def unreadable_files(cells: pd.Series[Any], tried: Mapping[str, str]) -> str:
    """The reason why a column that is of no file type names media of formats that are not read; empty if it does not.

    Args:
        cells: a sample of its present cells.
        tried: type of file -> the reason why cells are not of it.

    Raises:
        DataError: the cells are images or sounds by their types, but do not open, so that no other type would be right.
    """
    media = [cell for cell in cells if is_media(cell) and not isinstance(cell, list | bytes | np.ndarray)]
    if cells.size and len(media) >= _MIN_SHARE * len(cells):
        raise DataError(
            f"holds images or sounds that do not open ({cell_text(media[0])}): {'; '.join(tried.values())}. "
            'types={"COLUMN": "ignore"} leaves it out'
        )
    return unreadable_media(cells)
