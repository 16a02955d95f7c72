"""Column names as names of folders, on any file system."""

from __future__ import annotations

import re
from collections.abc import Iterable

__all__ = ["folder_names"]

UNSAFE = re.compile(r"[^\w .-]")
LONGEST = 60  # characters; 4 bytes each at most, and a name may have 255 bytes
# Names that Windows reserves for devices, with any suffix.
DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
TAKEN = "metadata.csv"


def folder_names(columns: Iterable[str]) -> dict[str, str]:
    """A folder name for each column, near its own and unique even where case is ignored.

    Example:
        >>> folder_names(["speech", "a/b", "a:b", ".."])
        {'speech': 'speech', 'a/b': 'a_b', 'a:b': 'a_b-2', '..': 'column'}
    """
    names: dict[str, str] = {}
    taken = {TAKEN}
    for column in columns:
        safe = UNSAFE.sub("_", column)[:LONGEST].strip(" .") or "column"
        if DEVICES.fullmatch(safe):
            safe = f"column_{safe}"
        name, count = safe, 1
        while name.casefold() in taken:
            count += 1
            name = f"{safe}-{count}"
        taken.add(name.casefold())
        names[column] = name
    return names
