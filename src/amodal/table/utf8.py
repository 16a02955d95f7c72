"""Text files in UTF-8, with or without a byte order mark."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from amodal.errors import DataError

__all__ = ["open_utf8"]


@contextmanager
def open_utf8(path: Path) -> Iterator[TextIO]:
    """Open a text file; line ends are not translated.

    Raises:
        DataError: the file is not UTF-8; the message gives byte and line.
    """
    with path.open(encoding="utf-8-sig", newline="") as lines:
        try:
            yield lines
        except UnicodeDecodeError:
            raise _not_utf8(path) from None


def _not_utf8(path: Path) -> DataError:
    # The decoder counts from the start of its buffer.
    content = path.read_bytes()
    try:
        content.decode("utf-8")
    except UnicodeDecodeError as problem:
        before = content[: problem.start]
        line, column = before.count(b"\n") + 1, problem.start - before.rfind(b"\n")
        return DataError(
            f"{path} is not UTF-8: byte {column} of line {line} is 0x{content[problem.start]:02x}. "
            "Save it as UTF-8."
        )
    return DataError(f"{path} is not UTF-8.")
