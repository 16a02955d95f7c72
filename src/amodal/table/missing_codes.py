"""Codes that stand for missing cells, as -1 or 999."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import pandas as pd

from amodal.modalities.category_one_hot import canonical, label_of
from amodal.table.reading import Table

__all__ = ["mark_missing"]


def mark_missing(table: Table, codes: Mapping[str, Iterable[Any]]) -> Table:
    """A table whose cells that are one of their column's codes are missing.

    A code is the same as number and as text: -1, -1.0 and "-1".

    Args:
        table: the table.
        codes: column -> codes. Columns that the table lacks have none.

    Example:
        >>> from amodal.table import read_table
        >>> ages = read_table(pd.DataFrame({"age": [31, -1, 64]}))
        >>> mark_missing(ages, {"age": [-1]}).frame["age"].isna().tolist()
        [False, True, False]
    """
    marked = {
        name: _without(table.frame[name], labels) for name, labels in codes.items() if name in table.columns
    }
    return replace(table, frame=table.frame.assign(**marked)) if marked else table


def _without(cells: pd.Series, codes: Iterable[Any]) -> pd.Series:
    labels = {canonical(label_of(code)) for code in codes}
    is_code = cells.astype(object).map(lambda cell: canonical(label_of(cell)) in labels).astype(bool)
    # Whole numbers stay whole beside missing cells.
    integers = pd.api.types.is_integer_dtype(cells.dtype) and not pd.api.types.is_extension_array_dtype(
        cells.dtype
    )
    return (cells.astype("Int64") if integers else cells).mask(is_code)
