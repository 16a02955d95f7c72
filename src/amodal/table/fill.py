"""Drawn cells put into the holes of a column, which keeps its dtype and its other cells."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from amodal.errors import UnreadableCell
from amodal.media import MediaFile, Sound, open_image, png_bytes, wav_bytes
from amodal.media.cells import open_sound

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["arrow_array", "fill", "numbers_of_text"]


def fill(cells: pd.Series[Any], holes: np.ndarray, drawn: Sequence[Any]) -> pd.Series[Any]:
    """The column with its holes filled, of the same dtype where that can hold the drawn cells.

    A column that has no cell of its own, and no dtype but object's, gets the drawn cells' dtype.

    Args:
        cells: the column (N,).
        holes: boolean (N,), the cells to replace.
        drawn: one cell for each hole.

    Example:
        >>> fill(pd.Series([1, None], dtype="Int64"), np.array([False, True]), [2]).tolist()
        [1, 2]
        >>> fill(pd.Series(["a", None], dtype="category"), np.array([False, True]), ["a"]).dtype
        CategoricalDtype(categories=['a'], ordered=False, categories_dtype=str)
    """
    if not holes.any():
        return cells
    if holes.all() and (cells.dtype == object or cells.isna().all()):
        return _cast(_objects(drawn), cells) if cells.dtype != object else _inferred(_objects(drawn), cells)
    filled = cells.astype(object).to_numpy(dtype=object, copy=True)
    new = _like_present(_objects(drawn), cells, holes)
    filled[holes] = new
    return _cast(filled, cells, holes=holes)


def _objects(values: Sequence[Any]) -> np.ndarray:
    array = np.empty(len(values), dtype=object)
    for position, value in enumerate(values):  # NumPy would make one array of values that are arrays
        array[position] = value
    return array


def _inferred(values: np.ndarray, cells: pd.Series[Any]) -> pd.Series[Any]:
    return pd.Series(values, index=cells.index, name=cells.name, dtype=object).infer_objects()


def _like_present(drawn: np.ndarray, cells: pd.Series[Any], holes: np.ndarray) -> np.ndarray:
    """The drawn cells, as the very objects by which the column's other cells have the same label."""
    if isinstance(cells.dtype, pd.CategoricalDtype):
        known = list(cells.cat.categories)
    elif cells.dtype == object:
        known = [cell for cell in cells[~holes] if pd.api.types.is_hashable(cell)]
    else:
        return drawn
    types = {type(cell) for cell in known}
    if all(type(cell) in types for cell in drawn):
        return drawn
    by_label = {_label(cell): cell for cell in reversed(known)}
    return _objects([_like(cell, by_label, types) for cell in drawn])


def _like(cell: Any, by_label: dict[str, Any], types: set[type]) -> Any:
    if not pd.api.types.is_hashable(cell):
        return cell
    label = _label(cell)
    if label not in by_label and types == {Decimal} and isinstance(cell, int | float):
        return Decimal(label)
    return by_label.get(label, cell)


def _label(cell: object) -> str:
    """The same for 2, 2.0 and "2", and for True and "true"."""
    if isinstance(cell, bool | np.bool_):
        return str(bool(cell)).lower()
    if isinstance(cell, float | np.floating) and float(cell).is_integer():
        return str(int(cell))
    return str(cell)


def _cast(values: np.ndarray, cells: pd.Series[Any], holes: np.ndarray | None = None) -> pd.Series[Any]:
    """Values as a column of the dtype of `cells`, or, where that cannot hold them, of one that can."""
    dtype = cells.dtype
    plain = pd.Series(values, index=cells.index, name=cells.name, dtype=object)
    if pd.api.types.is_object_dtype(dtype):
        return plain
    if isinstance(dtype, pd.CategoricalDtype):
        known = set(dtype.categories)
        unknown = [value for value in dict.fromkeys(values) if value not in known and not _is_missing(value)]
        if unknown and dtype.ordered:
            return plain.infer_objects()
        return plain.astype(
            pd.CategoricalDtype([*dtype.categories, *unknown], dtype.ordered) if unknown else dtype
        )
    changed = range(len(values)) if holes is None else np.flatnonzero(holes)
    if not all(pd.api.types.is_scalar(values[at]) for at in changed):
        return plain
    try:
        cast = plain.astype(dtype)
    except (TypeError, ValueError, OverflowError, NotImplementedError):
        return plain.infer_objects()
    kept = all(_is_same(cast.iloc[at], values[at]) for at in changed)
    return cast if kept else plain.infer_objects()


def _is_missing(value: Any) -> bool:
    return bool(pd.api.types.is_scalar(value) and pd.isna(value))


def _is_same(cast: Any, value: Any) -> bool:
    if isinstance(value, str) != isinstance(cast, str):
        # Text that was read as another type: a date's, but not a number's.
        return isinstance(value, str) and not isinstance(cast, int | float | np.number)
    if isinstance(value, int | float | np.number) and isinstance(cast, int | float | np.number):
        return bool(np.isclose(float(cast), float(value), rtol=1e-3, atol=0.0)) and (
            not isinstance(cast, int | np.integer) or float(value).is_integer()
        )
    return True


def numbers_of_text(cells: pd.Series[Any]) -> pd.Series[Any]:
    """A column of text as int64, `Int64` where cells are missing, or float64; itself if a cell is no number."""
    try:
        numbers = pd.to_numeric(cells)
    except (ValueError, TypeError):
        return cells
    if pd.api.types.is_float_dtype(numbers.dtype) and numbers.isna().any():
        texts = cells.dropna().astype(str)
        if len(texts) and texts.str.fullmatch(r"[+-]?\d{1,15}").all():
            return numbers.astype("Int64")
    return numbers


def arrow_array(cells: pd.Series[Any], *, is_media: bool, type_: pa.DataType | None = None) -> pa.Array:
    """A column as Arrow has it: images and sounds as Hugging Face's struct of bytes and path.

    Args:
        cells: the column.
        is_media: its cells are images or sounds.
        type_: of the result, where it can hold the cells.
    """
    import pyarrow as pa

    if is_media:
        struct = pa.struct({"bytes": pa.binary(), "path": pa.string()})
        return pa.array([_struct(cell) for cell in cells], type=struct)
    values = [None if _is_missing(cell) else cell for cell in cells]
    for candidate in (type_, None):
        try:
            return pa.array(values, type=candidate, from_pandas=True)
        except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError):
            continue
    return pa.array([None if value is None else str(value) for value in values], type=pa.string())


def _struct(cell: Any) -> dict[str, Any] | None:
    if _is_missing(cell):
        return None
    if isinstance(cell, dict) and "bytes" in cell and "path" in cell:
        return {"bytes": cell["bytes"], "path": cell["path"]}
    if isinstance(cell, MediaFile):
        return {"bytes": None, "path": cell.path}
    if isinstance(cell, bytes | bytearray):
        return {"bytes": bytes(cell), "path": None}
    if isinstance(cell, Sound | tuple):
        sound = open_sound(cell, None)
        return {"bytes": wav_bytes(sound.samples, sound.rate), "path": None}
    if hasattr(cell, "__fspath__") or isinstance(cell, str):
        return {"bytes": None, "path": str(cell)}
    try:
        return {"bytes": png_bytes(open_image(cell, None)), "path": None}
    except UnreadableCell:
        sound = open_sound(cell, None)
        return {"bytes": wav_bytes(sound.samples, sound.rate), "path": None}
