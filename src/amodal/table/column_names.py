"""Validation of column names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import numpy as np

from amodal.errors import DataError, examples

__all__ = ["check_names", "column_name"]


def column_name(label: object) -> str:
    """The name of a column by which models and files know it; a label may be a number, a tuple or anything else.

    Example:
        >>> column_name("photo"), column_name(7), column_name(("eye", 1))
        ('photo', '7', "('eye', 1)")
    """
    if isinstance(label, tuple):
        return str(tuple(part.item() if isinstance(part, np.generic) else part for part in label))
    return str(label)


def check_names(names: Iterable[object], source: str) -> list[str]:
    """The names as strings.

    Args:
        names: the names in the order of the columns.
        source: the table's name in messages.

    Raises:
        DataError: there are none, one is blank, or one is repeated.

    Example:
        >>> check_names(["photo", 7], "a table")
        ['photo', '7']
    """
    texts = [column_name(name) for name in names]
    if not texts:
        raise DataError(f"{source} has no columns.")
    blank = [position for position, name in enumerate(texts, start=1) if not name.strip()]
    if blank:
        raise DataError(
            f"{source}: these columns have no name (counted from 1): {examples(blank)}. Name them, or "
            "write the table without its index."
        )
    twice = [repr(name) for name, count in Counter(texts).items() if count > 1]
    if twice:
        raise DataError(f"{source}: repeated column names: {examples(twice)}.")
    return texts
