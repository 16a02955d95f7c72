"""Memory from step to step."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
"""What mallopt sets: see mallopt(3)."""

_NEVER = 2**31 - 1
_LARGEST = 32 * 2**20
"""Of what is taken from the heap, and not mapped by itself: the most that glibc allows."""


@contextmanager
def keeping_freed_memory() -> Iterator[None]:
    """Keep what a step frees for the next step, and give it back in the end.

    A step on a processor frees what the next one asks for again. glibc gives larger parts of it back to the system in
    between, whose pages then have to be made and cleared anew: about 5 % of a step of 512 rows, as measured. Afterwards
    the thresholds are those that glibc's own adjustment ends at. Other C libraries are left as they are.
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
