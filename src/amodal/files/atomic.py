"""Writing so that an interruption never leaves half a file, nor nothing where something was.

All is written in a *place*, a folder of its own beside what it is for: `.amodal-` and eight letters. It holds

- `lock`, locked as long as its owner lives, whatever ends that;
- `new`, what is being written;
- `old`, what was moved out of the way, where the system cannot exchange two folders.

The next place made in the same folder clears away those whose owner is dead.
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

from amodal.files.disk import naming

__all__ = ["is_place", "replacing_file", "replacing_folder", "temporary_folder"]

_PREFIX = ".amodal-"
_PLACE = re.compile(re.escape(_PREFIX) + r"[a-z0-9_]{8}")
_LOCK, _NEW, _OLD = "lock", "new", "old"
_AT_FDCWD, _RENAME_EXCHANGE, _RENAME_SWAP = -100, 2, 2


@contextmanager
def replacing_file(path: Path) -> Iterator[Path]:
    """Give a path to write to, of the same name; it takes the place of `path` only when all went well.

    Where `path` is a link, what it leads to is replaced. The file is on the disk and has the mode that the umask gives.

    Raises:
        OSError: the machine cannot; `path` is as it was.
    """
    target = Path(os.path.realpath(path))
    target.parent.mkdir(parents=True, exist_ok=True)
    with _place(target.parent) as place, naming(path, place=place):
        new = place / _NEW / target.name
        yield new
        _give_mode(new, place)
        _sync(new)
        new.replace(target)
        _sync(target.parent)


@contextmanager
def replacing_folder(path: Path) -> Iterator[Path]:
    """Give an empty folder to fill; it takes the place of `path`, all that is in it, only when all went well.

    Where `path` is a link, what it leads to is replaced. Files are on the disk and have the modes that the umask gives.
    The two are exchanged in one step where the system can; where it cannot and this process is killed between two
    steps, what was there is put back by the next that writes into the same folder.

    Raises:
        OSError: the machine cannot; `path` is as it was.
    """
    target = Path(os.path.realpath(path))
    target.parent.mkdir(parents=True, exist_ok=True)
    with _place(target.parent) as place, naming(path, place=place):
        new = place / _NEW / target.name
        new.mkdir()
        yield new
        for file in _files(new):
            _give_mode(file, place)
        _sync_all(new)
        _put(new, target, place / _OLD)
        _sync(target.parent)


@contextmanager
def temporary_folder(parent: Path | None = None) -> Iterator[Path]:
    """Give an empty folder that is gone afterwards.

    Args:
        parent: where it is made; the system's folder for temporary files by default.
    """
    with _place(parent or Path(tempfile.gettempdir())) as place:
        folder = place / _NEW / "folder"
        folder.mkdir()
        yield folder


def is_place(name: str) -> bool:
    """Whether a folder's name is that of a place."""
    return _PLACE.fullmatch(name) is not None


@contextmanager
def _place(parent: Path) -> Iterator[Path]:
    _clear_leftovers(parent)
    place, lock = _new_place(parent)
    try:
        (place / _NEW).mkdir()
        yield place
    finally:
        _clear(place, lock)


def _new_place(parent: Path) -> tuple[Path, FileLock]:
    while True:
        try:
            place = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
        except OSError as problem:
            # Its own name says nothing to a reader.
            raise OSError(problem.errno, problem.strerror, str(parent)) from problem
        lock = _lock(place)
        try:
            lock.acquire(blocking=False)
        except (Timeout, FileNotFoundError, FileExistsError):
            # Before it was locked, another process took it for a leftover; the lock makes it anew or fails to.
            continue
        except OSError:
            shutil.rmtree(place, ignore_errors=True)
            raise
        return place, lock


def _lock(place: Path) -> FileLock:
    # One thread may make a place and another leave it.
    return FileLock(place / _LOCK, thread_local=False)


def _clear_leftovers(parent: Path) -> None:
    """Remove the places of dead owners; what is locked, or may not be ours, stays."""
    with suppress(OSError):
        for entry in list(os.scandir(parent)):
            if is_place(entry.name) and entry.is_dir(follow_symlinks=False):
                with suppress(OSError, Timeout):
                    _clear_leftover(Path(entry.path))


def _clear_leftover(place: Path) -> None:
    if hasattr(os, "getuid") and place.stat().st_uid != os.getuid():
        return
    names = {entry.name for entry in place.iterdir()}
    if not names:
        place.rmdir()
    elif _LOCK in names and names <= {_LOCK, _NEW, _OLD}:
        lock = _lock(place)
        lock.acquire(blocking=False)
        _clear(place, lock)


def _clear(place: Path, lock: FileLock) -> None:
    """Remove a place; what was moved away for something that never came is put back first."""
    try:
        for kept in list((place / _OLD).iterdir()) if (place / _OLD).is_dir() else []:
            if not os.path.lexists(place.parent / kept.name):
                kept.rename(place.parent / kept.name)
        for name in (_NEW, _OLD):
            shutil.rmtree(place / name, ignore_errors=True)
    finally:
        lock.release()
    # The lock goes last: a place without one would be nobody's.
    with suppress(OSError):
        if not {entry.name for entry in place.iterdir()} - {_LOCK}:
            (place / _LOCK).unlink(missing_ok=True)
            place.rmdir()


def _put(new: Path, target: Path, old: Path) -> None:
    """Put `new` where `target` is; `target` goes where `new` was, or to `old`."""
    if not target.exists():
        new.rename(target)
    elif not _exchange(new, target):
        old.mkdir()
        target.rename(old / target.name)
        new.rename(target)


def _exchange(one: Path, other: Path) -> bool:
    """Exchange two folders in one step; False where the system or the file system has no such step."""
    names = os.fsencode(one), os.fsencode(other)
    if call := _call("renameat2"):
        failed = call(_AT_FDCWD, names[0], _AT_FDCWD, names[1], _RENAME_EXCHANGE)
    elif call := _call("renamex_np"):
        failed = call(*names, _RENAME_SWAP)
    else:
        return False
    if not failed:
        return True
    error = ctypes.get_errno()
    if error in (ENOSYS, EINVAL, ENOTSUP):
        return False
    raise OSError(error, os.strerror(error), str(other))


def _give_mode(file: Path, place: Path) -> None:
    """Give a file the mode of a new one, as a new folder has it: to ask for the umask is to set it."""
    mode = (place / _NEW).stat().st_mode & 0o666
    if file.stat().st_mode & 0o777 != mode:
        file.chmod(mode)


def _files(folder: Path) -> Iterator[Path]:
    for root, _, names in os.walk(folder):
        yield from (Path(root, name) for name in names)


def _call(name: str) -> Callable[..., int] | None:
    """A function of the C library; None where it has none of that name."""
    if os.name != "posix":
        return None
    return getattr(ctypes.CDLL(None, use_errno=True), name, None)


def _sync_all(folder: Path) -> None:
    """Bring a folder and all in it to the disk.

    On Linux with one call for the whole file system: one for each file takes milliseconds, and tables have many.
    """
    if call := _call("syncfs"):
        with _opened(folder) as descriptor:
            if not call(descriptor):
                return
    for root, _, names in os.walk(folder):
        for name in names:
            _sync(Path(root, name))
        _sync(Path(root))


def _sync(path: Path) -> None:
    """Bring a file, or the names in a folder, to the disk."""
    if os.name == "nt" and path.is_dir():
        return
    with _opened(path) as descriptor:
        try:
            os.fsync(descriptor)
        except OSError as problem:
            if problem.errno != EINVAL:  # what a file system that cannot says of a folder
                raise OSError(problem.errno, problem.strerror, str(path)) from problem


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
