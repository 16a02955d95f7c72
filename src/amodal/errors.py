"""Errors for the user; each message names the problem and the remedy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any


class UsageError(ValueError):
    """Wrong call: an unknown column, method or option (exit code 2)."""


class DataError(ValueError):
    """Unusable table or file (exit code 3)."""


class UnreadableCell(DataError):
    """One cell that cannot be converted to a tensor; the message is the reason."""


class BadCells(DataError):
    """Cells that cannot be converted to tensors.

    Args:
        reasons: position among the given cells, from 0 -> reason.
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
    """A column that does not fit the modality tried; the message is the reason."""


def examples(values: Sequence[object], count: int = 3) -> str:
    """The first few values, and the number of further ones, as text.

    Example:
        >>> examples([4, 8, 15, 16])
        '4, 8, 15 and 1 more'
    """
    first = ", ".join(str(value) for value in values[:count])
    rest = len(values) - count
    return f"{first} and {rest} more" if rest > 0 else first
