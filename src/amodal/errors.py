"""The errors a user can meet, each saying what is wrong and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any


class UsageError(ValueError):
    """The call itself is wrong: an unknown column, method or option (exit code 2)."""


class DataError(ValueError):
    """Something in the table or a file cannot be used (exit code 3)."""


class UnreadableCell(DataError):
    """One cell cannot be turned into a tensor; its message is the reason."""


class BadCells(DataError):
    """Some of the cells handed over cannot be turned into tensors.

    Args:
        reasons: position among the cells handed over (from 0) -> why that cell cannot be used.
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
    """A column is not of the modality that was tried; the message says why."""


def examples(values: Sequence[object], count: int = 3) -> str:
    """Show the first few of many values, and how many more there are.

    Example:
        >>> examples([4, 8, 15, 16])
        '4, 8, 15 and 1 more'
    """
    shown = ", ".join(str(value) for value in values[:count])
    rest = len(values) - count
    return f"{shown} and {rest} more" if rest > 0 else shown
