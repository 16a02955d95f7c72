"""Errors for users: each message says what is wrong, where, and what to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


class UsageError(ValueError):
    """The call itself is wrong: an unknown column, method or option (exit code 2)."""


class DataError(ValueError):
    """Something in the table or a file cannot be used (exit code 3)."""


class UnreadableCell(DataError):
    """One cell cannot be encoded; the message is the reason."""


class BadCells(DataError):
    """Some cells cannot be encoded.

    Args:
        reasons: position of a cell among the argument's, from 0 -> why it cannot be used.
    """

    def __init__(self, reasons: Mapping[int, str]) -> None:
        super().__init__(f"{len(reasons)} cells cannot be used")
        self.reasons = dict(reasons)


class RejectColumn(Exception):
    """A column is not of the modality that was tried; the message is the reason."""


def examples(values: Sequence[object], count: int = 3) -> str:
    """The first few of many values, and the number of the others.

    Example:
        >>> examples([4, 8, 15, 16])
        '4, 8, 15 and 1 more'
    """
    first = ", ".join(str(value) for value in values[:count])
    rest = len(values) - count
    return f"{first} and {rest} more" if rest > 0 else first
