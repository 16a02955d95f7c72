"""Frames with images and sounds as Arrow, Parquet and Hugging Face have them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from amodal.errors import UsageError
from amodal.media import Sound, is_media
from amodal.table.column_names import column_name
from amodal.table.fill import arrow_array

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["media_features", "to_arrow", "to_dataset", "to_parquet"]


def to_arrow(frame: pd.DataFrame) -> pa.Table:
    """A frame as an Arrow table; images and sounds are structs of `bytes` (a PNG or WAV file) and `path`.

    Args:
        frame: for example of `TableModel.sample`. Its index is left out.
    """
    import pyarrow as pa

    media = _media_columns(frame)
    columns = {
        column_name(label): arrow_array(frame.iloc[:, position], is_media=position in media)
        for position, label in enumerate(frame.columns)
    }
    return pa.table(columns)


def to_parquet(frame: pd.DataFrame, path: str | Path) -> None:
    """Write a frame as Parquet, images and sounds inside it; `read_table` and `datasets` read it.

    Args:
        frame: see `to_arrow`.
        path: the file, which is replaced.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     to_parquet(pd.DataFrame({"tone": [(8000, [0.0, 0.5])]}), f"{folder}/t.parquet")
        ...     pd.read_parquet(f"{folder}/t.parquet").loc[0, "tone"]["bytes"][:4]
        b'RIFF'
    """
    from pyarrow import parquet

    from amodal.files import replacing_file

    table = to_arrow(frame)
    with replacing_file(Path(path)) as staging:
        parquet.write_table(table, staging)


def to_dataset(frame: pd.DataFrame) -> Any:
    """A frame as a `datasets.Dataset`, with features `Image` and `Audio`.

    Args:
        frame: see `to_arrow`.

    Raises:
        UsageError: `datasets` is not installed.
    """
    try:
        from datasets import Dataset, Features
    except ImportError:
        raise UsageError("A Dataset needs the package datasets: pip install 'amodal[datasets]'.") from None
    dataset = Dataset(to_arrow(frame))
    names = [column_name(frame.columns[position]) for position in _media_columns(frame)]
    named = frame.set_axis([column_name(label) for label in frame.columns], axis="columns")
    return dataset.cast(Features(dict(dataset.features) | media_features(named, names)))


def media_features(frame: pd.DataFrame, names: Iterable[str]) -> dict[str, Any]:
    """Features `Image` or `Audio` of columns of images or sounds."""
    from datasets import Audio, Image

    return {name: Audio() if _holds_sounds(frame[name]) else Image() for name in names}


def _media_columns(frame: pd.DataFrame) -> list[int]:
    columns = (frame.iloc[:, position] for position in range(frame.shape[1]))
    return [
        position
        for position, cells in enumerate(columns)
        if cells.dtype == object and (present := cells.dropna()).size and is_media(present.iloc[0])
    ]


def _holds_sounds(cells: pd.Series[Any]) -> bool:
    present = cells.dropna()
    for cell in present:
        if isinstance(cell, Sound | tuple | list):
            return True
        content = cell.get("bytes") if isinstance(cell, dict) else cell
        if isinstance(content, bytes):
            return content[:4] in (b"RIFF", b"fLaC", b"OggS") and content[8:12] != b"WEBP"
    return False
