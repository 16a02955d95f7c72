"""Locks that keep two processes from writing the same output."""

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

from amodal.errors import OutputInUse
from amodal.files.disk import os_errors_about

__all__ = ["exclusive_lock", "is_locked", "lock_file"]

_TIMEOUT = 0.2  # seconds; enough for a lock that is just being released


@contextmanager
def exclusive_lock(output: Path) -> Iterator[Path]:
    """Hold the lock of an output file or folder, and yield it; released when the process exits, even by a crash.

    Reentrant within a thread. The lock file lies next to the output and names its holder.

    Raises:
        OutputInUse: another process or thread holds the lock; names it.
    """
    path = lock_file(output)
    created_parent = not path.parent.exists()
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path, is_singleton=True)
    try:
        lock.acquire(timeout=_TIMEOUT)
    except Timeout:
        raise OutputInUse(
            f"{output} is being written by another run{_holder(path)}. Wait for it to end, or give another path."
        ) from None
    # A SoftFileLock, used on file systems without locks, writes and removes the file itself.
    owned = lock.lock_counter == 1 and not isinstance(lock, SoftFileLock)
    try:
        if owned:
            with os_errors_about(output):
                _write_holder(path)
        yield output
    finally:
        # Removed while held, so that no process locks a file that is about to be unlinked.
        if owned and os.name == "posix":
            path.unlink(missing_ok=True)
        lock.release()
        if created_parent:
            with suppress(OSError):  # not empty: it holds the output
                path.parent.rmdir()


def is_locked(output: Path) -> bool:
    """True while another process or thread holds the lock of an output."""
    try:
        with exclusive_lock(output):
            return False
    except OutputInUse:
        return True


def lock_file(output: Path) -> Path:
    """Path of an output's lock file, the same through any link."""
    real = output.resolve()
    return real.with_name(f".amodal.{real.name}.lock")


def _write_holder(path: Path) -> None:
    holder = {
        "process": os.getpid(),
        "host": socket.gethostname(),
        "since": datetime.now().astimezone().isoformat(sep=" ", timespec="seconds"),
        "command": shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]]),
    }
    # Windows lets no other handle write to, or read, a locked file.
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
