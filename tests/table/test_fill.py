"""Holes filled in columns of every dtype."""

import enum
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest

from amodal.table.fill import fill, numbers_of_text


class Size(enum.Enum):
    S = 1
    L = 2


@pytest.mark.parametrize(
    ("cells", "drawn", "filled"),
    [
        (pd.Series([1, None, 3], dtype="Int64"), [2], [1, 2, 3]),
        (pd.Series([1, None, 3], dtype="UInt8"), [2], [1, 2, 3]),
        (pd.Series([1.5, None], dtype="float32"), [2], [1.5, 2.0]),
        (pd.Series([True, None], dtype="boolean"), [False], [True, False]),
        (pd.Series(["a", None], dtype="str"), ["b"], ["a", "b"]),
        (pd.Series([1, None], dtype="int64[pyarrow]"), [2], [1, 2]),
        (pd.Series(["a", None], dtype="category"), ["a"], ["a", "a"]),
        (pd.Series([2, None, 3], dtype=object).astype("category"), ["3"], [2, 3, 3]),
        (pd.Series([2, None, 3], dtype=object), ["3"], [2, 3, 3]),
        (pd.Series([b"a", None]), ["b'a'"], [b"a", b"a"]),
        (pd.Series([Size.S, None, Size.L]), ["Size.L"], [Size.S, Size.L, Size.L]),
        (pd.Series([Decimal("1.50"), None]), [0.25], [Decimal("1.50"), Decimal("0.25")]),
        (
            pd.Series(pd.to_datetime(["2024-01-01", None])),
            ["2024-02-01"],
            list(pd.to_datetime(["2024-01-01", "2024-02-01"])),
        ),
    ],
)
def test_the_dtype_and_the_other_cells_are_kept(
    cells: pd.Series, drawn: list[Any], filled: list[Any]
) -> None:
    found = fill(cells, cells.isna().to_numpy(), drawn)
    assert found.tolist() == filled
    assert [type(cell) for cell in found.tolist()] == [type(cell) for cell in filled]
    assert found.dtype == cells.dtype


@pytest.mark.parametrize(
    ("cells", "drawn", "dtype"),
    [
        (pd.Series([1, 2], dtype="int64"), [1.5], "float64"),
        (pd.Series([None, None], dtype=object), ["a"], "str"),
        (pd.Series([np.nan, np.nan]), ["a"], "str"),
    ],
)
def test_a_dtype_that_cannot_hold_the_drawn_cells_becomes_one_that_can(
    cells: pd.Series, drawn: list[Any], dtype: str
) -> None:
    holes = np.array([True, False]) if cells.notna().any() else np.array([True, True])
    assert fill(cells, holes, drawn * int(holes.sum())).dtype == dtype


def test_numbers_of_text() -> None:
    assert numbers_of_text(pd.Series(["1", "2"])).dtype == "int64"
    assert numbers_of_text(pd.Series(["1", None])).dtype == "Int64"
    assert numbers_of_text(pd.Series(["1.5", None])).dtype == "float64"
    assert numbers_of_text(pd.Series(["1", "x"])).tolist() == ["1", "x"]
