"""Columns of pandas from lists and from Arrow: integers stay integers where cells are missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["INT64", "column_of", "plain", "series_of_arrow"]

INT64 = range(-(2**63), 2**63)


def column_of(cells: list[Any]) -> pd.Series[Any]:
    """A column of Python's values; integers with missing cells are pandas' `Int64`.

    Example:
        >>> column_of([1, None]).dtype, column_of([True, False]).dtype
        (Int64Dtype(), dtype('bool'))
    """
    integers = all(cell is None or (type(cell) is int and cell in INT64) for cell in cells)
    if integers and None in cells and any(cell is not None for cell in cells):
        return pd.Series(cells, dtype="Int64")
    column = np.empty(len(cells), dtype=object)
    for row, cell in enumerate(cells):  # NumPy would make one array of cells that are arrays
        column[row] = cell
    return pd.Series(column, dtype=object).infer_objects()


def series_of_arrow(column: pa.ChunkedArray | pa.Array) -> pd.Series[Any]:
    """A column of Arrow as pandas has it usually; integers with missing cells are `Int64`, truth values `boolean`."""
    import pyarrow as pa

    if pa.types.is_string_view(column.type) or pa.types.is_large_string(column.type):
        column = column.cast(pa.string() if column.nbytes < 2**31 else pa.large_string())
    elif pa.types.is_binary_view(column.type):
        column = column.cast(pa.large_binary())
    return column.to_pandas(types_mapper=_nullable if column.null_count else None)


def _nullable(arrow_type: object) -> object:
    import pyarrow as pa

    if pa.types.is_boolean(arrow_type):
        return pd.BooleanDtype()
    if pa.types.is_uint64(arrow_type):
        return pd.UInt64Dtype()
    return pd.Int64Dtype() if pa.types.is_integer(arrow_type) else None


def plain(cells: pd.Series[Any]) -> pd.Series[Any]:
    """A column as column types take it: dense, and not backed by Arrow, with the same cells."""
    if isinstance(cells.dtype, pd.SparseDtype):
        return cells.sparse.to_dense()  # type: ignore[attr-defined]
    if isinstance(cells.dtype, pd.ArrowDtype):
        import pyarrow as pa

        return series_of_arrow(pa.chunked_array(cells.array.__arrow_array__())).set_axis(cells.index)
    return cells
