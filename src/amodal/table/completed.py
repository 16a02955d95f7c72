"""Completed rows: drawn cells put into a table's holes, in the form that the caller holds the table in."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from amodal.modalities import Modality
from amodal.table.fill import fill
from amodal.table.frames import Form
from amodal.table.reading import MEDIA_ROOT, Table, row_number

__all__ = ["CompletedRows", "draw_columns", "fill_holes", "in_form_of"]


@dataclass(frozen=True)
class CompletedRows:
    """Rows with their holes filled.

    Attributes:
        frame: the rows, each `draws` times, one after another; cells of text files are text, drawn ones may be numbers.
        drawn: the columns that have drawn cells.
        draw_columns: names of the columns of row numbers and of draws, where there are several draws.
    """

    frame: pd.DataFrame
    drawn: tuple[str, ...]
    draw_columns: tuple[str, str] | None = None


def fill_holes(
    table: Table, holes: Mapping[str, np.ndarray], drawn: Mapping[str, Sequence[Sequence[Any]]], draws: int
) -> CompletedRows:
    """Put drawn cells into a table; its other cells stay as they are.

    Args:
        table: N rows.
        holes: column -> boolean (N,), the cells to replace. The table may lack the column.
        drawn: column -> for each draw, one cell for each hole.
        draws: copies of each row.
    """
    own = table.frame if table.cells is None else table.cells
    frame = (
        own.iloc[np.repeat(np.arange(len(own)), draws)].reset_index(drop=True) if draws > 1 else own.copy()
    )
    for name, is_hole in holes.items():
        cells = [cell for of_one_hole in zip(*drawn[name], strict=True) for cell in of_one_hole]
        column = (
            frame[name] if name in frame else pd.Series([None] * len(frame), dtype=object, index=frame.index)
        )
        frame[name] = fill(column, np.repeat(is_hole, draws), cells)
    if draws == 1:
        return CompletedRows(frame, tuple(holes))
    row, draw = draw_columns(frame.columns)
    numbers = np.repeat(np.arange(len(own)), draws)
    frame[row], frame[draw] = numbers + row_number(0), np.tile(np.arange(1, draws + 1), len(own))
    return CompletedRows(frame, tuple(holes), (row, draw))


def draw_columns(taken: Collection[Hashable]) -> tuple[str, str]:
    """Names of the columns of row numbers and of draws that a table's own columns leave free.

    Example:
        >>> draw_columns(["price"]), draw_columns(["row", "price"])
        (('row', 'draw'), ('row_2', 'draw_2'))
    """
    names, count = ("row", "draw"), 1
    while set(names) & set(taken):
        count += 1
        names = (f"row_{count}", f"draw_{count}")
    return names


def in_form_of(
    table: Table,
    completed: CompletedRows,
    modalities: Mapping[str, Modality],
    draws: int,
    labels: Mapping[str, Hashable],
) -> Any:
    """Completed rows as the caller holds the table; see `Form.restore`."""
    form = table.form or Form("values", table.source, table.columns)
    frame = completed.frame
    if form.kind == "text":
        frame = frame.assign(
            **{
                name: _typed(frame[name], modality)
                for name, modality in modalities.items()
                if name in frame and modality.suffix is None
            }
        )
    drawn = {name: modalities[name].suffix is not None for name in completed.drawn}
    restored = form.restore(frame, drawn, draws, labels)
    has_media = any(modality.suffix and name in table.columns for name, modality in modalities.items())
    if has_media and isinstance(restored, pd.DataFrame) and table.root not in (None, Path()):
        # Kept cells may be paths, which are found by this where the rows go in again.
        restored.attrs[MEDIA_ROOT] = str(table.root)
    return restored


def _typed(cells: pd.Series[Any], modality: Modality) -> pd.Series[Any]:
    """A column of a text file with the numbers and truth values that its texts write."""
    present = cells.dropna()
    if present.empty:
        return cells
    values = pd.Series(
        list(modality.parse_text(present.tolist())), index=present.index, dtype=object
    ).infer_objects()
    if len(present) == len(cells):
        return values
    is_whole = pd.api.types.is_integer_dtype(values.dtype)
    return (values.astype("Int64") if is_whole else values).reindex(cells.index)
