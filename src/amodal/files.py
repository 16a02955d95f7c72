"""Writing so that an interruption never leaves half a file: write beside, then rename."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["replacing_file", "replacing_folder"]


@contextmanager
def replacing_file(path: Path) -> Iterator[Path]:
    """Give a path beside `path` to write to; it takes the place of `path` only when all went well.

    The temporary name keeps the suffix of `path`, which many writers read the format from.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix}")
    try:
        yield beside
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


@contextmanager
def replacing_folder(path: Path) -> Iterator[Path]:
    """Give an empty folder beside `path` to fill; it takes the place of `path` only when all went well."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    beside.chmod(0o755)
    try:
        yield beside
        if path.exists():
            old = Path(tempfile.mkdtemp(prefix=f".{path.name}.old.", dir=path.parent)) / path.name
            path.rename(old)
            beside.rename(path)
            shutil.rmtree(old.parent)
        else:
            beside.rename(path)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
