"""Errors for users: each message says what is wrong, where, and what to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any


class UsageError(ValueError):
    """The call itself is wrong: an unknown column, method or option (exit code 2)."""


class OutputInUse(UsageError):
    """Another run is writing the output."""


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


class EarlierFormat(DataError):
    """A model of an earlier format, which has to be fitted again.

    Args:
        problem: the two formats, in words.
        folder: of the model.
        arguments: of `TableModel`, settings included, by which it was fitted.
    """

    def __init__(self, problem: str, folder: Path, arguments: Mapping[str, Any]) -> None:
        call = ", ".join(f"{name}={value!r}" for name, value in arguments.items())
        super().__init__(
            f"{problem}: fit it again, by TableModel({call}).fit(DATA, output={str(folder)!r}, overwrite=True)."
        )
        self.problem = problem
        self.folder = folder
        self.arguments = dict(arguments)


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


def shorten(text: str, length: int) -> str:
    """A text of at most `length` characters, the last of which is an ellipsis where more are left out.

    Example:
        >>> shorten("amodal", 6), shorten("completion", 6)
        ('amodal', 'compl…')
    """
    return text if len(text) <= length else text[: length - 1] + "…"
