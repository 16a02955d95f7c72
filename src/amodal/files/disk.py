"""What a machine refuses: no room on a disk, no permission, no memory. In words, and before it is too late."""

from __future__ import annotations

import errno
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

__all__ = ["file_system", "in_words", "naming", "reserve"]

_UNSUPPORTED = {errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS, errno.EINVAL}
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT}
_BLOCK = 2**20


@contextmanager
def naming(path: Path, *library_errors: type[Exception], place: Path | None = None) -> Iterator[None]:
    """Say in an `OSError` which of the user's files it is about.

    Args:
        path: the file or folder that is being written.
        library_errors: exceptions of libraries that hide an `OSError`, raised as one where their text holds its number.
        place: a temporary folder that is written to instead; errors that name what is in it name `path`.

    Raises:
        OSError: with `filename`.
    """
    try:
        yield
    except OSError as problem:
        # Of a copy that is named by both its ends, it is the other that is written.
        named = problem.filename2 or problem.filename
        inside = place is not None and isinstance(named, str) and Path(named).is_relative_to(place)
        if (named is not None and not inside) or problem.errno == errno.EPIPE:
            raise
        number = problem.errno or (errno.ENOSPC if _is_full(path) else None)
        if number is None:
            # A library's own refusal, such as of a format: its words say more than a number would.
            raise
        raise _as_of(path, number) from problem
    except library_errors as problem:
        found = re.search(r"os error (\d+)", str(problem))
        if not found:
            raise
        raise _as_of(path, int(found[1])) from problem


def reserve(file: IO[bytes], size: int) -> None:
    """Take room for a file's first `size` bytes, so that a disk that is full says so here.

    A memory map takes its room only as it is written, and a disk that is full then ends the process (SIGBUS).

    Raises:
        OSError: there is no room.
    """
    allocate = getattr(os, "posix_fallocate", None)
    if allocate is not None and size:
        try:
            allocate(file.fileno(), 0, size)
        except OSError as problem:
            if problem.errno not in _UNSUPPORTED:
                raise
        else:
            return
    end = file.seek(0, os.SEEK_END)
    for start in range(end, size, _BLOCK):
        file.write(bytes(min(_BLOCK, size - start)))
    file.flush()


def file_system(path: Path) -> Path:
    """The nearest folder that is there."""
    return next(parent for parent in (path.absolute(), *path.absolute().parents) if parent.is_dir())


def in_words(problem: OSError | MemoryError) -> str:
    """One sentence that says what the machine refused, where, and what to do."""
    if isinstance(problem, MemoryError):
        return "Memory ran out: close other programs, or take fewer or smaller cells, or a smaller batch."
    where = f" {problem.filename}" if problem.filename is not None else ""
    if problem.errno in _NO_ROOM:
        return f"There is no room to write{where}{_free(problem.filename)}: make room, or give another place."
    reason = problem.strerror or str(problem) or type(problem).__name__
    if isinstance(problem, PermissionError) or problem.errno == errno.EROFS:
        return f"No permission for{where or ' a file'} ({reason}): change it, or give another place."
    if problem.errno == errno.ENAMETOOLONG:
        return f"The name{where} is too long for its disk: give a shorter one."
    if problem.errno in (errno.EMFILE, errno.ENFILE):
        return f"Too many files are open{where and ' to open' + where}: raise the limit (ulimit -n), or close programs."
    return f"The machine cannot read or write{where or ' a file'}: {reason}."


def _free(name: str | bytes | int | None) -> str:
    if not isinstance(name, str):
        return ""
    place = file_system(Path(name))
    try:
        free = shutil.disk_usage(place).free
    except OSError:
        return ""
    return f" ({free / 1e6:,.1f} MB free at {place})"


def _as_of(path: Path, number: int) -> OSError:
    return OSError(number, os.strerror(number), str(path))


def _is_full(path: Path) -> bool:
    return shutil.disk_usage(file_system(path)).free < _BLOCK
