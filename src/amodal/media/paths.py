"""Resolution of cells that are paths: files must lie below the table's folder."""

from __future__ import annotations

import ntpath
import os
import re
from errno import ELOOP
from functools import lru_cache
from pathlib import Path
from stat import S_ISDIR, S_ISLNK, S_ISREG
from typing import BinaryIO

from amodal.errors import UnreadableCell

__all__ = ["locate", "open_cell"]

# One letter before the colon is a Windows drive, not a scheme.
_URL = re.compile(r"[a-z][a-z0-9+.-]+:", re.IGNORECASE)


def locate(cell: object, root: Path | None) -> Path:
    """Resolve a cell to the file that it names.

    Args:
        cell: a path relative to `root`, as written in the table.
        root: the folder that every file must lie in after `..` and symbolic links are resolved: the table's own,
            or `--media-root`. None when the table is a DataFrame, which has no folder.

    Returns:
        The absolute path, without `..` or symbolic links, of a file that is not empty.

    Raises:
        UnreadableCell: the cell is no such path; the message gives the reason.

    Example:
        >>> locate("../secrets.png", Path())
        Traceback (most recent call last):
        amodal.errors.UnreadableCell: leaves the table's folder
    """
    if not isinstance(cell, str):
        raise UnreadableCell(f"is {type(cell).__name__}, not the path of a file")
    if not cell.strip() or not cell.isprintable():
        raise UnreadableCell("is not the path of a file")
    if _URL.match(cell):
        raise UnreadableCell("is a URL; download the file and write its path relative to the table's folder")
    if os.path.isabs(cell) or ntpath.splitdrive(cell)[0]:  # noqa: PTH117
        raise UnreadableCell(
            "is an absolute path; write it relative to the table's folder or pass --media-root"
        )
    if root is None:
        raise UnreadableCell("is a path, but a DataFrame has no folder; pass media_root")
    return _file_below(root, cell)


def _file_below(root: Path, cell: str) -> Path:
    # Strings, and one path at the end: a table may name millions of files.
    try:
        folder = _real_folder(os.path.abspath(root), *os.stat(root)[1:3])  # noqa: PTH100, PTH116
        path = _real_path(folder, cell)
        if path != folder and not path.startswith(os.path.join(folder, "")):  # noqa: PTH118
            raise UnreadableCell("leaves the table's folder")
        status = os.stat(path)  # noqa: PTH116
    except (FileNotFoundError, NotADirectoryError):
        raise UnreadableCell("no such file") from None
    except OSError as error:
        if error.errno == ELOOP:
            raise UnreadableCell("no such file (symbolic links go round in a circle)") from None
        raise UnreadableCell(f"cannot be opened ({error.strerror})") from error
    if not S_ISREG(status.st_mode):
        raise UnreadableCell(
            "is a folder, not a file" if S_ISDIR(status.st_mode) else "is not an ordinary file"
        )
    if status.st_size == 0:
        raise UnreadableCell("is an empty file")
    return Path(path)


@lru_cache
def _real_folder(path: str, _inode: int, _device: int) -> str:
    """The folder without symbolic links; the cache misses when another folder replaces it."""
    return os.path.realpath(path)


def _real_path(folder: str, cell: str) -> str:
    """`os.path.realpath` of a cell below a folder without symbolic links, whose own parents are not read again."""
    path = folder
    for part in cell.split(os.sep):  # noqa: PTH206
        if part == ".." or "/" in part:
            break
        if part not in ("", "."):
            path = os.path.join(path, part)  # noqa: PTH118
            if S_ISLNK(os.lstat(path).st_mode):
                break
    else:
        return path
    return os.path.realpath(os.path.join(folder, cell))  # noqa: PTH118


def open_cell(path: Path) -> BinaryIO:
    """Open a cell's file to read its bytes.

    Raises:
        UnreadableCell: it cannot be opened; the message gives the reason.
    """
    try:
        return path.open("rb")
    except OSError as error:
        raise UnreadableCell(f"cannot be opened ({error.strerror})") from error
