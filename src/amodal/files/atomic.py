"""Atomic replacement of files and folders.

Outputs are written to a *staging folder* next to the target, named `.amodal-` and eight letters. It holds

- `lock`, a file that stays locked while the owning process lives;
- `new`, the output being written;
- `old`, the replaced folder, where the system cannot exchange two folders.

Every new staging folder removes those of dead processes in the same parent folder.
"""

from __future__ import annotations

import ctypes
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from errno import EINVAL, ENOSYS, ENOTSUP
from pathlib import Path

from filelock import FileLock, Timeout

from amodal.files.disk import os_errors_about

__all__ = ["is_staging_folder", "replacing_file", "replacing_folder", "temporary_folder"]

_PREFIX = ".amodal-"
_STAGING_NAME = re.compile(re.escape(_PREFIX) + r"[a-z0-9_]{8}")
_LOCK, _NEW, _OLD = "lock", "new", "old"
_AT_FDCWD, _RENAME_EXCHANGE, _RENAME_SWAP = -100, 2, 2


@contextmanager
def replacing_file(path: Path) -> Iterator[Path]:
    """Yield a temporary path of the same name, which replaces `path` when the block succeeds.

    A link is followed and its target replaced. The file is synced to disk and has the mode given by the umask.

    Raises:
        OSError: writing failed; `path` is unchanged.
    """
    target = Path(os.path.realpath(path))
    target.parent.mkdir(parents=True, exist_ok=True)
    with _staging_folder(target.parent) as staging, os_errors_about(path, staging=staging):
        new = staging / _NEW / target.name
        yield new
        _set_default_mode(new, staging)
        _sync(new)
        new.replace(target)
        _sync(target.parent)


@contextmanager
def replacing_folder(path: Path) -> Iterator[Path]:
    """Yield an empty folder, which replaces `path` and all its content when the block succeeds.

    A link is followed and its target replaced. Files are synced to disk and have the modes given by the umask.
    The two folders are exchanged in one step where the system supports it. Otherwise, if this process is killed
    between the two steps, the next process that writes to the same parent folder restores the old one.

    Raises:
        OSError: writing failed; `path` is unchanged.
    """
    target = Path(os.path.realpath(path))
    target.parent.mkdir(parents=True, exist_ok=True)
    with _staging_folder(target.parent) as staging, os_errors_about(path, staging=staging):
        new = staging / _NEW / target.name
        new.mkdir()
        yield new
        for file in _files(new):
            _set_default_mode(file, staging)
        _sync_all(new)
        _replace(new, target, staging / _OLD)
        _sync(target.parent)


@contextmanager
def temporary_folder(parent: Path | None = None) -> Iterator[Path]:
    """Yield an empty folder, which is removed afterwards.

    Args:
        parent: parent folder; the system's temporary folder by default.
    """
    with _staging_folder(parent or Path(tempfile.gettempdir())) as staging:
        folder = staging / _NEW / "folder"
        folder.mkdir()
        yield folder


def is_staging_folder(name: str) -> bool:
    """True for names of staging folders."""
    return _STAGING_NAME.fullmatch(name) is not None


@contextmanager
def _staging_folder(parent: Path) -> Iterator[Path]:
    _remove_abandoned(parent)
    staging, lock = _create_staging_folder(parent)
    try:
        (staging / _NEW).mkdir()
        yield staging
    finally:
        _remove(staging, lock)


def _create_staging_folder(parent: Path) -> tuple[Path, FileLock]:
    while True:
        try:
            staging = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
        except OSError as problem:
            # The random name would tell the user nothing.
            raise OSError(problem.errno, problem.strerror, str(parent)) from problem
        lock = _lock(staging)
        try:
            lock.acquire(blocking=False)
        except (Timeout, FileNotFoundError, FileExistsError):
            # Another process removed it as abandoned before it was locked.
            continue
        except OSError:
            shutil.rmtree(staging, ignore_errors=True)
            raise
        return staging, lock


def _lock(staging: Path) -> FileLock:
    # One thread may create a staging folder and another remove it.
    return FileLock(staging / _LOCK, thread_local=False)


def _remove_abandoned(parent: Path) -> None:
    """Remove the staging folders of dead processes; locked and foreign ones stay."""
    with suppress(OSError):
        for entry in list(os.scandir(parent)):
            if is_staging_folder(entry.name) and entry.is_dir(follow_symlinks=False):
                with suppress(OSError, Timeout):
                    _remove_if_abandoned(Path(entry.path))


def _remove_if_abandoned(staging: Path) -> None:
    if hasattr(os, "getuid") and staging.stat().st_uid != os.getuid():
        return
    names = {entry.name for entry in staging.iterdir()}
    if not names:
        staging.rmdir()
    elif _LOCK in names and names <= {_LOCK, _NEW, _OLD}:
        lock = _lock(staging)
        lock.acquire(blocking=False)
        _remove(staging, lock)


def _remove(staging: Path, lock: FileLock) -> None:
    """Remove a staging folder, after restoring what was moved to `old` and not replaced."""
    try:
        for moved in list((staging / _OLD).iterdir()) if (staging / _OLD).is_dir() else []:
            if not os.path.lexists(staging.parent / moved.name):
                moved.rename(staging.parent / moved.name)
        for name in (_NEW, _OLD):
            shutil.rmtree(staging / name, ignore_errors=True)
    finally:
        lock.release()
    # The lock is removed last: a staging folder without one is never cleaned up.
    with suppress(OSError):
        if not {entry.name for entry in staging.iterdir()} - {_LOCK}:
            (staging / _LOCK).unlink(missing_ok=True)
            staging.rmdir()


def _replace(new: Path, target: Path, old: Path) -> None:
    """Move `new` to `target`; an existing `target` moves to `new` or `old`."""
    if not target.exists():
        new.rename(target)
    elif not _exchange(new, target):
        old.mkdir()
        target.rename(old / target.name)
        new.rename(target)


def _exchange(one: Path, other: Path) -> bool:
    """Exchange two folders in one step; False where the system or the file system does not support it."""
    names = os.fsencode(one), os.fsencode(other)
    if call := _libc_function("renameat2"):
        failed = call(_AT_FDCWD, names[0], _AT_FDCWD, names[1], _RENAME_EXCHANGE)
    elif call := _libc_function("renamex_np"):
        failed = call(*names, _RENAME_SWAP)
    else:
        return False
    if not failed:
        return True
    error = ctypes.get_errno()
    if error in (ENOSYS, EINVAL, ENOTSUP):
        return False
    raise OSError(error, os.strerror(error), str(other))


def _set_default_mode(file: Path, staging: Path) -> None:
    """Set a file's mode by the umask, read off a new folder's mode: os.umask cannot be read without being set."""
    mode = (staging / _NEW).stat().st_mode & 0o666
    if file.stat().st_mode & 0o777 != mode:
        file.chmod(mode)


def _files(folder: Path) -> Iterator[Path]:
    for root, _, names in os.walk(folder):
        yield from (Path(root, name) for name in names)


def _libc_function(name: str) -> Callable[..., int] | None:
    """A function of the C library by name; None where it has none."""
    if os.name != "posix":
        return None
    return getattr(ctypes.CDLL(None, use_errno=True), name, None)


def _sync_all(folder: Path) -> None:
    """Sync a folder and all its content to disk.

    On Linux by one call for the whole file system: a call for each file takes milliseconds, and tables have many files.
    """
    if call := _libc_function("syncfs"):
        with _open_descriptor(folder) as descriptor:
            if not call(descriptor):
                return
    for root, _, names in os.walk(folder):
        for name in names:
            _sync(Path(root, name))
        _sync(Path(root))


def _sync(path: Path) -> None:
    """Sync a file, or a folder's list of names, to disk."""
    if os.name == "nt" and path.is_dir():
        return
    with _open_descriptor(path) as descriptor:
        try:
            os.fsync(descriptor)
        except OSError as problem:
            if problem.errno != EINVAL:  # from file systems that cannot sync a folder
                raise OSError(problem.errno, problem.strerror, str(path)) from problem


@contextmanager
def _open_descriptor(path: Path) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
