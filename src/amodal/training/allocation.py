"""Reuse of freed memory between steps."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
"""Parameters of mallopt(3)."""

_NEVER = 2**31 - 1
_LARGEST = 32 * 2**20
"""Bytes of the largest allocation from the heap, the most that glibc allows."""


@contextmanager
def keeping_freed_memory() -> Iterator[None]:
    """Keep the memory that a step frees for the next step, and return it in the end.

    By default glibc returns large blocks to the system, whose pages are then mapped and cleared again: about 5 % of a
    step of 512 rows on a processor, as measured. Afterwards the thresholds are those that glibc's own adjustment ends
    at. Other C libraries are left as they are.
    """
    libc: Any = ctypes.CDLL(None) if sys.platform == "linux" else None
    if not (hasattr(libc, "mallopt") and hasattr(libc, "malloc_trim")):
        yield
        return
    libc.mallopt(_MMAP_THRESHOLD, _LARGEST)
    libc.mallopt(_TRIM_THRESHOLD, _NEVER)
    try:
        yield
    finally:
        libc.mallopt(_TRIM_THRESHOLD, 2 * _LARGEST)
        libc.malloc_trim(0)
