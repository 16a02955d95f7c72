"""Errors of the machine (full disk, no permission, no memory): named by path, in words, and raised early."""

from __future__ import annotations

import errno
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

__all__ = ["existing_folder", "explain_machine_error", "os_errors_about", "preallocate"]

_UNSUPPORTED = {errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS, errno.EINVAL}
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT}
_BLOCK = 2**20


@contextmanager
def os_errors_about(
    path: Path, *library_errors: type[Exception], staging: Path | None = None
) -> Iterator[None]:
    """Name the user's file in every `OSError` of the block.

    Args:
        path: the file or folder being written.
        library_errors: exceptions of libraries that wrap an `OSError`; re-raised as one if their text holds errno.
        staging: temporary folder written to instead; errors about its content name `path`.

    Raises:
        OSError: with `filename`.
    """
    try:
        yield
    except OSError as problem:
        # The second name of a copy is its target.
        named = problem.filename2 or problem.filename
        inside = staging is not None and isinstance(named, str) and Path(named).is_relative_to(staging)
        if (named is not None and not inside) or problem.errno == errno.EPIPE:
            raise
        number = problem.errno or (errno.ENOSPC if _is_full(path) else None)
        if number is None:
            # A library's own error, such as an unknown format, is clearer than an errno.
            raise
        raise _os_error(path, number) from problem
    except library_errors as problem:
        found = re.search(r"os error (\d+)", str(problem))
        if not found:
            raise
        raise _os_error(path, int(found[1])) from problem


def preallocate(file: IO[bytes], size: int) -> None:
    """Allocate a file's first `size` bytes on disk.

    A memory map allocates as it is written, and a full disk then kills the process (SIGBUS) instead of raising.

    Raises:
        OSError: the disk is full.
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


def existing_folder(path: Path) -> Path:
    """The nearest existing folder: the path itself or one of its parents."""
    return next(parent for parent in (path.absolute(), *path.absolute().parents) if parent.is_dir())


def explain_machine_error(problem: OSError | MemoryError) -> str:
    """One sentence on an error of the machine: its cause, the path and the remedy."""
    if isinstance(problem, MemoryError):
        return "Memory ran out: close other programs, or take fewer or smaller cells, or a smaller batch."
    where = f" {problem.filename}" if problem.filename is not None else ""
    if problem.errno in _NO_ROOM:
        return f"There is no room to write{where}{_free(problem.filename)}: make room, or give another path."
    reason = problem.strerror or str(problem) or type(problem).__name__
    if isinstance(problem, PermissionError) or problem.errno == errno.EROFS:
        return f"No permission for{where or ' a file'} ({reason}): change it, or give another path."
    if problem.errno == errno.ENAMETOOLONG:
        return f"The name{where} is too long for its disk: give a shorter one."
    if problem.errno in (errno.EMFILE, errno.ENFILE):
        return f"Too many files are open{where and ' to open' + where}: raise the limit (ulimit -n), or close programs."
    return f"The machine cannot read or write{where or ' a file'}: {reason}."


def _free(name: str | bytes | int | None) -> str:
    if not isinstance(name, str):
        return ""
    folder = existing_folder(Path(name))
    try:
        free = shutil.disk_usage(folder).free
    except OSError:
        return ""
    return f" ({free / 1e6:,.1f} MB free at {folder})"


def _os_error(path: Path, number: int) -> OSError:
    return OSError(number, os.strerror(number), str(path))


def _is_full(path: Path) -> bool:
    return shutil.disk_usage(existing_folder(path)).free < _BLOCK
