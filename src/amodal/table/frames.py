"""Table-like objects of Python, pandas, polars, Arrow and Hugging Face as pandas frames, and completed rows back."""

from __future__ import annotations

import sys
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from amodal.errors import DataError, UsageError
from amodal.media import MediaFile
from amodal.table.column_names import check_names, column_name
from amodal.table.columns import column_of, series_of_arrow
from amodal.table.fill import arrow_array

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Form", "frame_of"]

Kind = Literal["pandas", "polars", "arrow", "dataset", "values", "text"]


@dataclass(frozen=True)
class Form:
    """The form in which a caller holds a table, and gets completed rows back.

    Attributes:
        kind: library of the object; "values" for dicts, lists, arrays and files, whose rows come back as a pandas
            DataFrame; "text" for files whose cells are text, whose numbers come back as numbers.
        source: the table's name in messages.
        labels: column names as the caller has them, in order.
        native: the caller's object; None for files.
    """

    kind: Kind
    source: str
    labels: tuple[Hashable, ...]
    native: Any = None

    def restore(
        self,
        frame: pd.DataFrame,
        drawn: Mapping[str, bool],
        draws: int,
        labels: Mapping[str, Hashable],
    ) -> Any:
        """Completed rows in the caller's form: its library, index, column names and types.

        Args:
            frame: the rows, each repeated `draws` times, with columns by name: the table's, and others after them.
            drawn: name of each column that has drawn cells -> whether its cells are images or sounds.
            draws: completions of each row.
            labels: names of columns that the table lacks -> label.
        """
        own = dict(zip(map(column_name, self.labels), self.labels, strict=True))
        columns = [own.get(name, labels.get(name, name)) for name in frame.columns]
        rows = np.repeat(np.arange(len(frame) // draws), draws)
        if self.kind == "pandas":
            is_same = len(columns) == len(self.native.columns)
            frame.columns = self.native.columns if is_same else pd.Index(columns, dtype=object)
            frame.index = self.native.index.take(rows)
            frame.attrs = dict(self.native.attrs)
            return frame
        if self.kind in ("values", "text"):
            return frame.set_axis(columns, axis="columns")
        changed = {
            name: is_media
            for name, is_media in {**dict.fromkeys(frame.columns, False), **drawn}.items()
            if name in drawn or name not in own
        }
        if self.kind == "polars":
            return _restore_polars(self.native, frame, changed, rows if draws > 1 else None)
        if self.kind == "arrow":
            return _restore_arrow(self.native, frame, changed, rows if draws > 1 else None)
        return _restore_dataset(self.native, frame, changed, rows if draws > 1 else None)


def frame_of(data: Any) -> tuple[pd.DataFrame, Form]:
    """A table-like object as a frame with names of text and rows numbered from 0, and its form.

    Args:
        data: a DataFrame of pandas or polars, an Arrow table (or any object with `__arrow_c_stream__`), a `Dataset` of
            Hugging Face, a dict of columns, a list of dicts, or an array of 2 axes.

    Raises:
        UsageError: it is none of these; says what to pass.
        DataError: column names are blank or repeated, or columns have different lengths.
    """
    if isinstance(data, pd.DataFrame):
        frame, form = data, _form("pandas", "The DataFrame", data.columns, data)
    elif _is_of("datasets", data):
        frame, form = _from_dataset(data)
    elif _is_of("polars", data):
        if type(data).__name__ != "DataFrame":
            raise UsageError(f"A {type(data).__name__} of polars is no table: {_polars_way(data)}.")
        frame, form = _from_arrow(data.to_arrow(), _form("polars", "The DataFrame", data.columns, data))
    elif hasattr(data, "__arrow_c_stream__") and not isinstance(data, pd.Series):
        import pyarrow as pa

        table = data if isinstance(data, pa.Table) else pa.table(data)
        frame, form = _from_arrow(table, _form("arrow", "The table", table.column_names, table))
    else:
        frame = _from_values(data)
        form = _form("values", "The table", frame.columns)
    names = check_names(form.labels, form.source)
    return frame.set_axis(names, axis="columns").reset_index(drop=True), form


def _form(kind: Kind, source: str, labels: Sequence[Hashable] | pd.Index[Any], native: Any = None) -> Form:
    return Form(kind, source, tuple(labels), native)


def _is_of(package: str, data: object) -> bool:
    """True for an object of a package, which is then imported already."""
    return package in sys.modules and type(data).__module__.split(".")[0] == package


def _polars_way(data: Any) -> str:
    return "pass frame.collect()" if type(data).__name__ == "LazyFrame" else "pass series.to_frame()"


def _from_values(data: Any) -> pd.DataFrame:
    accepted = (
        "Pass a DataFrame (pandas, polars), an Arrow table, a datasets.Dataset, a dict of columns, a list of dicts, or "
        "the path of a file or folder."
    )
    if isinstance(data, Mapping):
        return _from_columns({name: _cells(name, values) for name, values in data.items()})
    if isinstance(data, pd.Series):
        raise UsageError("A Series is one column of a table: pass series.to_frame().")
    if hasattr(data, "tocsr"):
        return pd.DataFrame.sparse.from_spmatrix(data)  # type: ignore[attr-defined]
    if isinstance(data, list | tuple) and len(data) and all(isinstance(row, Mapping) for row in data):
        names = dict.fromkeys(name for row in data for name in row)
        return _from_columns({name: [row.get(name) for row in data] for name in names})
    if isinstance(data, list | tuple) and len(data) and not isinstance(data[0], list | tuple | np.ndarray):
        raise UsageError(f"A {type(data).__name__} of {type(data[0]).__name__} is no table. {accepted}")
    if hasattr(data, "detach"):
        data = data.detach().cpu().numpy()
    if not isinstance(data, list | tuple | np.ndarray):
        name = "None" if data is None else f"An object of type {type(data).__name__}"
        raise UsageError(f"{name} is no table. {accepted}")
    if isinstance(data, np.ndarray) and data.dtype.names:
        return pd.DataFrame({name: data[name] for name in data.dtype.names})
    if isinstance(data, np.ndarray) and data.ndim != 2:
        raise UsageError(f"An array of shape {data.shape} is no table: it needs rows and columns. {accepted}")
    try:
        return pd.DataFrame(data).infer_objects()
    except ValueError as problem:
        raise UsageError(f"The rows make no table ({problem}). {accepted}") from None


def _cells(name: Hashable, values: Any) -> Any:
    if isinstance(values, pd.Series | pd.Index | pd.api.extensions.ExtensionArray):
        return pd.Series(values).reset_index(drop=True)
    if hasattr(values, "detach"):
        values = values.detach().cpu().numpy()
    if isinstance(values, np.ndarray):
        return list(values) if values.ndim > 1 else values
    if (
        isinstance(values, str | bytes | Mapping)
        or not hasattr(values, "__len__")
        or not hasattr(values, "__iter__")
    ):
        raise UsageError(
            f"{name!r} is {type(values).__name__}: a dict is a table of columns, each of which is a list of cells."
        )
    return list(values)


def _from_columns(columns: Mapping[Any, Any]) -> pd.DataFrame:
    lengths = {len(cells) for cells in columns.values()}
    if len(lengths) > 1:
        found = ", ".join(f"{name!r} has {len(cells)}" for name, cells in list(columns.items())[:4])
        raise DataError(f"The table's columns have different numbers of cells: {found}.")
    series = [column_of(cells) if isinstance(cells, list) else pd.Series(cells) for cells in columns.values()]
    frame = pd.DataFrame(dict(enumerate(series)), index=pd.RangeIndex(max(lengths, default=0)))
    frame.columns = pd.Index(list(columns), dtype=object, tupleize_cols=False)
    return frame


def _from_arrow(table: pa.Table, form: Form) -> tuple[pd.DataFrame, Form]:
    columns = dict(enumerate(series_of_arrow(column) for column in table.columns))
    return pd.DataFrame(columns, index=pd.RangeIndex(table.num_rows)), form


def _from_dataset(data: Any) -> tuple[pd.DataFrame, Form]:
    kind = type(data).__name__
    if kind in ("DatasetDict", "IterableDatasetDict"):
        first = next(iter(data), "train")
        raise UsageError(
            f"A {kind} holds several tables ({', '.join(data)}): pass one, as in dataset[{first!r}]."
        )
    if kind != "Dataset":
        raise UsageError(f"A {kind} of datasets is no table: pass a datasets.Dataset.")
    table = data.with_format("arrow")[:]
    frame, form = _from_arrow(table, _form("dataset", "The dataset", table.column_names, data))
    features = list(data.features.values())
    for position, feature in enumerate(features):
        if type(feature).__name__ in ("Image", "Audio"):
            # The library itself names these files, by absolute paths that are no cells of the user's.
            frame[position] = frame[position].map(_dataset_file)
    return frame, form


def _dataset_file(cell: Any) -> Any:
    if isinstance(cell, dict) and cell.get("bytes") is None and cell.get("path"):
        return MediaFile(cell["path"])
    return cell


def _repeat(native: Any, rows: np.ndarray | None, take: Callable[[Any, np.ndarray], Any]) -> Any:
    return native if rows is None else take(native, rows)


def _restore_polars(
    native: Any, frame: pd.DataFrame, changed: Mapping[str, bool], rows: np.ndarray | None
) -> Any:
    import polars as pl

    result = _repeat(native, rows, lambda table, index: table[index])
    for name, is_media in changed.items():
        if name in native.columns and not is_media:
            dtype = native.schema[name]
            cells = [None if pd.api.types.is_scalar(cell) and pd.isna(cell) else cell for cell in frame[name]]
            try:
                column = pl.Series(name, cells, dtype=dtype, strict=True)
            except (TypeError, pl.exceptions.PolarsError):
                column = pl.Series(name, arrow_array(frame[name], is_media=False))
        else:
            column = pl.Series(name, arrow_array(frame[name], is_media=is_media))
        result = result.with_columns(column)
    return result


def _restore_arrow(
    native: pa.Table, frame: pd.DataFrame, changed: Mapping[str, bool], rows: np.ndarray | None
) -> pa.Table:
    result = _repeat(native, rows, lambda table, index: table.take(index))
    for name, is_media in changed.items():
        position = result.column_names.index(name) if name in result.column_names else -1
        type_ = None if position < 0 or is_media else result.schema.field(position).type
        column = arrow_array(frame[name], is_media=is_media, type_=type_)
        is_new = position < 0
        result = result.append_column(name, column) if is_new else result.set_column(position, name, column)
    return result


def _restore_dataset(
    native: Any, frame: pd.DataFrame, changed: Mapping[str, bool], rows: np.ndarray | None
) -> Any:
    from datasets import Dataset, Features

    from amodal.table.export import media_features

    if not changed and rows is None:
        return native
    table = _restore_arrow(native.with_format("arrow")[:], frame, changed, rows)
    media = [name for name, is_media in changed.items() if is_media]
    found = Dataset(table.replace_schema_metadata(None))
    features = dict(found.features) | {
        name: feature for name, feature in native.features.items() if name not in media
    }
    for name in changed:
        if name in native.features and name not in media:
            is_same = found.features[name].dtype == native.features[name].dtype
            features[name] = (native if is_same else found).features[name]
    return found.cast(Features(features | media_features(frame, media)))
