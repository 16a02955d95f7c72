"""Parquet files."""

from __future__ import annotations

import re
from pathlib import Path
from typing import BinaryIO

import pandas as pd

from amodal.errors import DataError
from amodal.table.column_names import check_names
from amodal.table.columns import series_of_arrow

__all__ = ["read_parquet"]

UNNAMED_INDEX = re.compile(r"__index_level_\d+__")


def read_parquet(content: BinaryIO | Path, source: str) -> pd.DataFrame:
    """Read a Parquet file; integers stay integers in columns with missing cells (pandas' `Int64`).

    An index that pandas stored is left out when it has no name, and is a column when it has one.

    Raises:
        DataError: the file is no Parquet or is broken, or has bad column names.
    """
    import pyarrow as pa
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(content) as file:
            names = check_names(file.schema_arrow.names, source)
            stored = file.read()
    except (pa.ArrowException, OSError) as problem:
        raise DataError(f"{source} cannot be read as Parquet: {problem}") from None
    return pd.DataFrame(
        {
            name: series_of_arrow(column)
            for name, column in zip(names, stored.columns, strict=True)
            if not UNNAMED_INDEX.fullmatch(name)
        },
        index=pd.RangeIndex(stored.num_rows),
    )
