"""Texts that stand for a missing cell."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from amodal.errors import examples

_MARKS = (
    "? - -- --- — – . .. ... na n/a #n/a n.a. n.a <na> nan -nan nat null none nil missing unknown",
    "#null! \\n (null) (none) #value!",
)
MISSING_MARKS = frozenset(" ".join(_MARKS).split()) | {"", "not available"}
"""In lower case, without space around them."""


def missing_marks(cells: pd.Series[Any]) -> NDArray[np.bool_]:
    """True for each cell (N,) that is a text which stands for a missing one.

    Example:
        >>> missing_marks(pd.Series(["3.5", "n/a", " ", "7"])).tolist()
        [False, True, True, False]
    """
    if not (pd.api.types.is_object_dtype(cells.dtype) or isinstance(cells.dtype, pd.StringDtype)):
        return np.zeros(len(cells), bool)
    return np.fromiter(
        (
            isinstance(cell, str) and len(cell) < 16 and cell.strip().lower() in MISSING_MARKS
            for cell in cells
        ),
        bool,
        len(cells),
    )


def without_marks(cells: pd.Series[Any]) -> tuple[pd.Series[Any], str]:
    """The other cells, and a clause that names the marks; empty where there are none."""
    marked = missing_marks(cells)
    if not marked.any():
        return cells, ""
    marks = [repr(mark) for mark in cells[marked].value_counts().index]
    return cells[~marked], f", {examples(marks)} taken as missing"
