"""What columns of files have in common: their cells are paths, some of which may not open."""

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
_ENOUGH = 0.8
_turn = Lock()


def read_cells(
    cells: pd.Series[Any], root: Path | None, read: Callable[[Path], T]
) -> tuple[list[T], dict[int, str]]:
    """Read the files that cells name.

    Returns:
        What was read, in order, and position -> reason of the cells that could not be.
    """
    found, reasons = [], {}
    for position, cell in enumerate(cells):
        try:
            found.append(read(locate(cell, root)))
        except UnreadableCell as problem:
            reasons[position] = str(problem)
    return found, reasons


def read_all(
    cells: pd.Series[Any], root: Path | None, read: Callable[[Path], T], *, small: int = 0
) -> list[T]:
    """Read the files that cells name.

    Args:
        cells: the cells.
        root: the folder that they are relative to.
        read: reads one.
        small: bytes, by the first file, below which only one thread at a time reads. The work on a small file is
            in pieces so short that threads spend more on passing the interpreter's lock than they gain:
            utterances of half a second took 0.7 s with two threads and 0.4 s with one.

    Raises:
        BadCells: some cannot be read.
    """
    with _turn if _first_size(cells, root) < small else nullcontext():
        found, reasons = read_cells(cells, root, read)
    if reasons:
        raise BadCells(reasons)
    return found


def _first_size(cells: pd.Series[Any], root: Path | None) -> int:
    try:
        return locate(cells.iloc[0], root).stat().st_size if len(cells) else 0
    except (UnreadableCell, OSError):
        return 0


def read_sample(
    cells: pd.Series[Any], root: Path | None, read: Callable[[Path], T], most: int = 200
) -> list[T]:
    """Read up to `most` of the files, evenly spread over the column, leaving out those that do not open.

    Raises:
        RejectColumn: none opens.
    """
    step = max(1, len(cells) // most)
    found, reasons = read_cells(cells.iloc[::step].iloc[:most], root, read)
    if not found:
        raise RejectColumn(f"no file opens: {examples(list(reasons.values()))}")
    return found


def accept_files(
    cells: pd.Series[Any],
    root: Path | None,
    read: Callable[[Path], object],
    kind: str,
    suffixes: Sequence[str],
) -> str:
    """Say why cells are files of a kind: at least four in five open.

    Raises:
        RejectColumn: they are not paths of such files.
        DataError: they are by their names, but the files do not open, so that any other type would be wrong.
    """
    found, reasons = read_cells(cells, root, read)
    if len(found) >= _ENOUGH * len(cells):
        return f"{len(found)} of {len(cells)} sampled cells open as {kind} files"
    named = cells.map(lambda cell: isinstance(cell, str) and PurePath(cell).suffix.lower() in suffixes)
    if named.mean() >= _ENOUGH:
        first = [f"{cells.iloc[position]!r} {reason}" for position, reason in reasons.items()]
        raise DataError(
            f"names {kind} files, but only {len(found)} of {len(cells)} open: {examples(first)}. "
            "Paths are relative to the table's folder; media_root=FOLDER names another, and "
            'types={"COLUMN": "text"} takes the paths as texts'
        )
    raise RejectColumn(f"{len(found)} of {len(cells)} sampled cells open as {kind} files")
