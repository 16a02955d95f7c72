"""One run at a time in a place."""

from __future__ import annotations

import json
import os
import shlex
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from filelock import FileLock, SoftFileLock, Timeout

from amodal.errors import UsageError
from amodal.files.disk import naming

__all__ = ["exclusive", "lock_file"]

_PATIENCE = 0.2  # seconds, for a lock that is let go just now


@contextmanager
def exclusive(place: Path) -> Iterator[None]:
    """Hold the lock of a file or folder, which is free again when its owner ends, however it does.

    A thread that holds it may take it again. The lock is a file beside the place, and says who holds it.

    Raises:
        UsageError: another process, or another thread, holds it; says who.
    """
    path = lock_file(place)
    made = not path.parent.exists()
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path, is_singleton=True)
    try:
        lock.acquire(timeout=_PATIENCE)
    except Timeout:
        raise UsageError(
            f"{place} is being written by another run{_holder(path)}. Wait for it to end, or give another place."
        ) from None
    # What stands in for a lock, where a file system has none, keeps its own words in the file and removes it itself.
    ours = lock.lock_counter == 1 and not isinstance(lock, SoftFileLock)
    try:
        if ours:
            with naming(place):
                _sign(path)
        yield
    finally:
        # While it is held: whoever opened the file before takes no lock on one that has no name.
        if ours and os.name == "posix":
            path.unlink(missing_ok=True)
        lock.release()
        if made:
            with suppress(OSError):  # it holds what was written
                path.parent.rmdir()


def lock_file(place: Path) -> Path:
    """The lock of a place, beside it; the same by whatever links the place is reached."""
    real = place.resolve()
    return real.with_name(f".amodal.{real.name}.lock")


def _sign(path: Path) -> None:
    holder = {
        "process": os.getpid(),
        "host": socket.gethostname(),
        "since": datetime.now().astimezone().isoformat(sep=" ", timespec="seconds"),
        "command": shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]]),
    }
    # A system that lets no other handle write to a locked file lets none read it either.
    with suppress(PermissionError):
        path.write_text(json.dumps(holder), encoding="utf-8")


def _holder(path: Path) -> str:
    try:
        holder = json.loads(path.read_text(encoding="utf-8"))
        return (
            f", process {holder['process']} on {holder['host']} since {holder['since']} ({holder['command']})"
        )
    except (OSError, ValueError, TypeError, KeyError):
        return ""
