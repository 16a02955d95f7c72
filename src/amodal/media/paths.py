"""From a cell that names a file to that file, which must lie below the table's folder."""

from __future__ import annotations

import re
from pathlib import Path, PureWindowsPath
from stat import S_ISREG
from typing import BinaryIO

from amodal.problems import UnreadableCell

__all__ = ["locate", "open_cell"]

# One letter before the colon is a Windows drive, not a scheme.
_URL = re.compile(r"[a-z][a-z0-9+.-]+:", re.IGNORECASE)


def locate(cell: object, root: Path | None) -> Path:
    """Find the file that a cell names.

    Args:
        cell: a path relative to `root`, as written in the table.
        root: the folder that every file must lie in once `..` and symbolic links are followed: the table's
            own, or that of `--media-root`. None when the table is a DataFrame, which has no folder.

    Returns:
        The file's absolute path, without `..` or symbolic links. The file exists and is not empty.

    Raises:
        UnreadableCell: the cell is no such path; the message says why.

    Example:
        >>> locate("../secrets.png", Path())
        Traceback (most recent call last):
        amodal.problems.UnreadableCell: leaves the table's folder
    """
    if not isinstance(cell, str):
        raise UnreadableCell(f"is {type(cell).__name__}, not the path of a file")
    if not cell.strip() or not cell.isprintable():
        raise UnreadableCell("is not the path of a file")
    if _URL.match(cell):
        raise UnreadableCell("is a URL; download the file and write its path relative to the table's folder")
    if Path(cell).is_absolute() or PureWindowsPath(cell).drive:
        raise UnreadableCell(
            "is an absolute path; write it relative to the table's folder or pass --media-root"
        )
    if root is None:
        raise UnreadableCell("is a path, but a DataFrame has no folder; pass media_root")
    return _file_below(root, cell)


def _file_below(root: Path, cell: str) -> Path:
    try:
        folder = root.resolve()
        path = (folder / cell).resolve()
        if not path.is_relative_to(folder):
            raise UnreadableCell("leaves the table's folder")
        status = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        raise UnreadableCell("no such file") from None
    except OSError as error:
        raise UnreadableCell(f"cannot be opened ({error.strerror})") from error
    except RuntimeError:  # how Python before 3.13 meets symbolic links that go round in a circle
        raise UnreadableCell("no such file (symbolic links go round in a circle)") from None
    if not S_ISREG(status.st_mode):
        raise UnreadableCell("is a folder, not a file" if path.is_dir() else "is not an ordinary file")
    if status.st_size == 0:
        raise UnreadableCell("is an empty file")
    return path


def open_cell(path: Path) -> BinaryIO:
    """Open a cell's file to read its bytes.

    Raises:
        UnreadableCell: it cannot be opened; the message says why.
    """
    try:
        return path.open("rb")
    except OSError as error:
        raise UnreadableCell(f"cannot be opened ({error.strerror})") from error
