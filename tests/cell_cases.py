"""Tables and cells in the forms that people hold them: the cases of tests, and rows of the guide that `docs` generates.

A list of further cases, of other column types, is added to `CASES`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import torch
from PIL import Image

from amodal.media import MediaFile, Sound

GREY = np.arange(48, dtype=np.uint8).reshape(6, 8) * 5
SHORT = np.rint(0.5 * np.sin(np.arange(800) / 9) * 32768).astype(np.int16)


@dataclass(frozen=True)
class CellCase:
    """One form of a table or of a cell.

    Attributes:
        kind: heading of its rows in the guide.
        goes_in: the form, in Markdown.
        comes_out: what `complete` gives for it, in Markdown: a kept one, and a drawn one where it was missing.
        make: makes it: of a folder with `grey.png` and `a.wav`, or of a pandas frame.
    """

    kind: str
    goes_in: str
    comes_out: str
    make: Callable[[Any], Any]

    def __str__(self) -> str:
        return self.goes_in


def _without_na(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.astype(object).where(frame.notna(), None)


_FRAME = "the same frame, with its index, column names (of any kind) and dtypes; filled holes in the column's dtype"
_IMAGE = "the same object; drawn: a uint8 array (H, W, C)"
_SOUND = "the same object; drawn: a `Sound` with `samples` and `rate`"


def _table(goes_in: str, comes_out: str, make: Callable[[pd.DataFrame], Any]) -> CellCase:
    return CellCase("table", goes_in, comes_out, make)


def _image(goes_in: str, make: Callable[[Path], Any], comes_out: str = _IMAGE) -> CellCase:
    return CellCase("image", goes_in, comes_out, make)


def _sound(goes_in: str, make: Callable[[Path], Any], comes_out: str = _SOUND) -> CellCase:
    return CellCase("sound", goes_in, comes_out, make)


TABLES = [
    _table("`pandas.DataFrame`", _FRAME, lambda frame: frame),
    _table("`pandas.DataFrame` with nullable dtypes", _FRAME, lambda frame: frame.convert_dtypes()),
    _table(
        "`pandas.DataFrame` with Arrow dtypes",
        _FRAME,
        lambda frame: frame.convert_dtypes(dtype_backend="pyarrow"),
    ),
    _table(
        "`polars.DataFrame`",
        "a `polars.DataFrame` of the same schema; drawn images and sounds are structs of `bytes` and `path`",
        pl.from_pandas,
    ),
    _table(
        "`pyarrow.Table`, or any object with `__arrow_c_stream__`",
        "a `pyarrow.Table` of the same schema; drawn images and sounds are structs of `bytes` and `path`",
        lambda frame: pa.Table.from_pandas(frame, preserve_index=False),
    ),
    _table(
        "`datasets.Dataset`, its `Image` and `Audio` columns without decoding",
        "a `datasets.Dataset` of the same features",
        lambda frame: datasets.Dataset.from_pandas(frame, preserve_index=False),
    ),
    _table("dict of columns", "a `pandas.DataFrame`", lambda frame: _without_na(frame).to_dict("list")),
    _table("list of dicts", "a `pandas.DataFrame`", lambda frame: _without_na(frame).to_dict("records")),
]
IMAGES = [
    _image("path, relative to the table's folder or `media_root`", lambda folder: "grey.png"),
    _image("`pathlib.Path`", lambda folder: Path("grey.png")),
    _image("absolute path below the table's folder or `media_root`", lambda folder: str(folder / "grey.png")),
    _image("path with a space at its end", lambda folder: "grey.png "),
    _image("`bytes` of a file", lambda folder: (folder / "grey.png").read_bytes()),
    _image("`bytearray` of a file", lambda folder: bytearray((folder / "grey.png").read_bytes())),
    _image("open file, `BytesIO`", lambda folder: BytesIO((folder / "grey.png").read_bytes())),
    _image("Pillow image", lambda folder: Image.fromarray(GREY)),
    _image("Pillow image of a file", lambda folder: Image.open(folder / "grey.png")),
    _image("uint8 array (H, W)", lambda folder: GREY),
    _image("uint8 array (H, W, 1), (H, W, 3) or (H, W, 4)", lambda folder: GREY[..., None]),
    _image("array of other whole numbers, 0 to 255", lambda folder: GREY.astype(np.int64)),
    _image("uint16 array, 0 to 65,535", lambda folder: GREY.astype(np.uint16) * 257),
    _image("float array, 0 to 1", lambda folder: GREY / 255),
    _image("float array, 0 to 255", lambda folder: GREY.astype(np.float32)),
    _image("tensor or array (C, H, W)", lambda folder: torch.from_numpy(GREY)[None]),
    _image("nested lists", lambda folder: GREY.tolist()),
    _image(
        'Hugging Face\'s `{"bytes": ..., "path": None}`',
        lambda folder: {"bytes": (folder / "grey.png").read_bytes(), "path": None},
    ),
    _image(
        'Hugging Face\'s `{"bytes": None, "path": ...}`',
        lambda folder: {"bytes": None, "path": "grey.png"},
    ),
    _image(
        "file that a `datasets.Dataset` names",
        lambda folder: MediaFile(str(folder / "grey.png")),
        "the same struct; drawn: a struct of `bytes` and `path`",
    ),
]
SOUNDS = [
    _sound("path", lambda folder: "a.wav"),
    _sound("`pathlib.Path`", lambda folder: Path("a.wav")),
    _sound("`bytes` of a file", lambda folder: (folder / "a.wav").read_bytes()),
    _sound("`amodal.Sound`", lambda folder: Sound(SHORT / np.float32(32768), 8000)),
    _sound("`(rate, samples)`, as SciPy and Gradio have it", lambda folder: (8000, SHORT)),
    _sound("`(samples, rate)`, as librosa and soundfile have it", lambda folder: (SHORT / 32768, 8000)),
    _sound("the same as lists", lambda folder: [(SHORT / 32768).tolist(), 8000]),
    _sound("the same with a rate of NumPy", lambda folder: (SHORT, np.int64(8000))),
    _sound("int32 samples", lambda folder: (8000, SHORT.astype(np.int32) << 16)),
    _sound("stereo (n, 2)", lambda folder: (8000, np.stack([SHORT, SHORT], axis=1))),
    _sound(
        "stereo (2, n), as torchaudio has it",
        lambda folder: (torch.from_numpy(np.stack([SHORT, SHORT])), 8000),
    ),
    _sound(
        'Hugging Face\'s `{"bytes": ..., "path": ...}`',
        lambda folder: {"bytes": (folder / "a.wav").read_bytes(), "path": "x.wav"},
    ),
    _sound(
        'Hugging Face\'s `{"array": ..., "sampling_rate": ...}`',
        lambda folder: {"array": SHORT / 32768, "sampling_rate": 8000, "path": None},
    ),
]
CASES = [*TABLES, *IMAGES, *SOUNDS]
