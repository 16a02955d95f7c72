"""Resolution of cells that are paths: files must lie below the table's folder."""

from __future__ import annotations

import ntpath
import os
import re
from errno import ELOOP
from functools import lru_cache
from pathlib import Path, PurePath
from stat import S_ISDIR, S_ISLNK, S_ISREG
from typing import Any, BinaryIO

from amodal.errors import UnreadableCell

__all__ = ["MediaFolder", "locate", "media_folder", "open_cell"]

# One letter before the colon is a Windows drive, not a scheme.
_URL = re.compile(r"[a-z][a-z0-9+.-]+:", re.IGNORECASE)


class MediaFolder(type(Path())):  # type: ignore[misc]  # Path itself cannot be subclassed before Python 3.12
    """A folder of media files with rules of its own; a `Path`, as any modality takes it.

    Attributes:
        table_folder: the folder of the table, which paths may be relative to as well; their files must still lie
            below this folder.
        follow_links: symbolic links may lead out of the folder; `..` may not.
    """

    table_folder: Path | None = None
    follow_links: bool = False

    def __reduce__(self) -> tuple[Any, ...]:
        return media_folder, (str(self), self.table_folder, self.follow_links)


def media_folder(folder: str | Path, table_folder: Path | None = None, follow_links: bool = False) -> Path:
    """A folder by whose rules `locate` resolves cells; see `MediaFolder`."""
    if table_folder is None and not follow_links:
        return folder if isinstance(folder, Path) else Path(folder)
    result = MediaFolder(folder)
    result.table_folder, result.follow_links = table_folder, follow_links
    return result


def locate(cell: object, root: Path | None) -> Path:
    """Resolve a cell to the file that it names.

    Args:
        cell: a path relative to `root`, or an absolute one below it.
        root: the folder that every file must lie in after `..` and symbolic links are resolved: the table's own,
            or `media_root`; see also `MediaFolder`. None where no folder is known.

    Returns:
        The absolute path, without `..` or symbolic links, of a file that is not empty.

    Raises:
        UnreadableCell: the cell is no such path; the message gives the reason.

    Example:
        >>> locate("../secrets.png", Path())
        Traceback (most recent call last):
        amodal.errors.UnreadableCell: leaves the table's folder
    """
    if isinstance(cell, PurePath):
        cell = str(cell)
    if not isinstance(cell, str):
        raise UnreadableCell(f"is {type(cell).__name__}, not the path of a file")
    if not cell.strip() or not cell.isprintable():
        raise UnreadableCell("is not the path of a file")
    if _URL.match(cell):
        raise UnreadableCell("is a URL; download the file and write its path relative to the table's folder")
    if ntpath.splitdrive(cell)[0] and os.name != "nt":
        raise UnreadableCell(_ABSOLUTE)
    if root is None:
        raise UnreadableCell("is a path, but a DataFrame has no folder; pass media_root=FOLDER")
    try:
        return _file_below(root, cell)
    except UnreadableCell:
        trimmed = cell.strip()
        if trimmed == cell:
            raise
        # A file's name may end in a space, but a cell's more often does by accident.
        return _file_below(root, trimmed)


_ABSOLUTE = (
    "is an absolute path; write it relative to the table's folder or pass media_root=FOLDER that holds it"
)
_LINKS = (
    "leaves the table's folder by a symbolic link; pass follow_links=True where you trust the table's links"
)


def _file_below(root: Path, cell: str) -> Path:
    # Strings, and one path at the end: a table may name millions of files.
    folders = [root]
    if isinstance(root, MediaFolder) and root.table_folder is not None and not os.path.isabs(cell):  # noqa: PTH117
        folders.append(root.table_folder)
    try:
        for number, folder in enumerate(folders, start=1):
            try:
                path = _allowed_path(root, folder, cell)
                status = os.stat(path)  # noqa: PTH116
                break
            except (FileNotFoundError, NotADirectoryError):
                if number == len(folders):
                    raise
    except (FileNotFoundError, NotADirectoryError):
        raise UnreadableCell("no such file") from None
    except UnicodeEncodeError:
        raise UnreadableCell("no such file (its name cannot be written in this locale)") from None
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


def _allowed_path(root: Path, folder: Path, cell: str) -> str:
    """The real path of a cell that is relative to `folder` and lies below `root`."""
    limit = _real(root)
    if isinstance(root, MediaFolder) and root.follow_links:
        # By its letters: a `..` must not leave the folder that a link leads to.
        path = os.path.normpath(os.path.join(_real(folder), cell))  # noqa: PTH118
        if not _is_below(path, limit):
            raise UnreadableCell(_outside(cell))
        return os.path.realpath(path)
    path = _real_path(_real(folder), cell)
    if not _is_below(path, limit):
        written = os.path.normpath(os.path.join(_real(folder), cell))  # noqa: PTH118
        raise UnreadableCell(_LINKS if _is_below(written, limit) else _outside(cell))
    return path


def _outside(cell: str) -> str:
    return _ABSOLUTE if os.path.isabs(cell) else "leaves the table's folder"  # noqa: PTH117


def _is_below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(os.path.join(folder, ""))  # noqa: PTH118


def _real(folder: Path) -> str:
    return _real_folder(os.path.abspath(folder), *os.stat(folder)[1:3])  # noqa: PTH100, PTH116


@lru_cache
def _real_folder(path: str, _inode: int, _device: int) -> str:
    """The folder without symbolic links; the cache misses when another folder replaces it."""
    return os.path.realpath(path)


def _real_path(folder: str, cell: str) -> str:
    """`os.path.realpath` of a cell below a folder without symbolic links, whose own parents are not read again."""
    path = folder
    for part in ["..", ""] if os.path.isabs(cell) else cell.split(os.sep):  # noqa: PTH117, PTH206
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
