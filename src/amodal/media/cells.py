"""Cells as people hold them, opened to images and sounds: paths, bytes, arrays, pairs, objects of other libraries."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amodal.errors import UnreadableCell
from amodal.media.audio import Sound, read_sound, sound_array, sound_shape
from amodal.media.formats import suffix_of
from amodal.media.image import image_array, pil_image_array, read_image
from amodal.media.paths import locate

__all__ = [
    "MediaFile",
    "cell_size",
    "cell_text",
    "is_media",
    "media_file",
    "open_image",
    "open_sound",
    "sound_cell_shape",
]

_FIRST_BYTES = {
    b"\x89PNG": ".png",
    b"\xff\xd8\xff": ".jpg",
    b"GIF8": ".gif",
    b"BM": ".bmp",
    b"II*\0": ".tif",
    b"MM\0*": ".tif",
    b"fLaC": ".flac",
    b"OggS": ".ogg",
    b"ID3": ".mp3",
    b"\xff\xfb": ".mp3",
    b"FORM": ".aiff",
}
_RIFF = {b"WAVE": ".wav", b"WEBP": ".webp"}
_BRANDS = {b"avif": ".avif", b"avis": ".avif", b"heic": ".heic", b"heix": ".heic", b"mif1": ".heic"}


@dataclass(frozen=True)
class MediaFile:
    """A file that a library names in the user's place, which may lie anywhere; see `amodal.table.datasets`.

    Attributes:
        path: the absolute path.
    """

    path: str


def open_image(cell: object, root: Path | None) -> NDArray[np.uint8]:
    """The pixels of a cell, upright and opaque.

    Args:
        cell: a path (`str` or `Path`), the content of a file (`bytes`, or a file object), a Pillow image, an array as
            `image_array` takes it (nested lists and tensors too), or Hugging Face's {"bytes": ..., "path": ...}.
        root: the folder that paths are relative to; see `locate`.

    Returns:
        uint8, (height, width) for grey, else (height, width, 3).

    Raises:
        UnreadableCell: the cell is no image; the message gives the reason.
    """
    source = _source(cell, root)
    if isinstance(source, Path | bytes):
        return read_image(source)
    if _is_pil_image(source):
        return pil_image_array(source)
    array = _array(source)
    if array is None or array.ndim < 2:
        raise UnreadableCell(f"is {_kind(cell)}, not an image")
    return image_array(array)


def open_sound(cell: object, root: Path | None, max_seconds: float | None = None) -> Sound:
    """The sound of a cell, its channels mixed down.

    Args:
        cell: a path (`str` or `Path`), the content of a file (`bytes`, or a file object), a `Sound`, a pair
            `(rate, samples)` or `(samples, rate)`, Hugging Face's {"bytes": ..., "path": ...} or
            {"array": ..., "sampling_rate": ...}, or its decoder.
        root: the folder that paths are relative to; see `locate`.
        max_seconds: where reading stops; None reads all.

    Raises:
        UnreadableCell: the cell is no sound; the message gives the reason.
    """
    source = _source(cell, root)
    if isinstance(source, Path | bytes):
        return read_sound(source, max_seconds)
    samples, rate = _samples(source, cell)
    sound = sound_array(samples, rate)
    if max_seconds is not None:
        return Sound(sound.samples[: max(2, round(max_seconds * sound.rate))], sound.rate)
    return sound


def sound_cell_shape(cell: object, root: Path | None) -> tuple[float, int]:
    """Seconds of a cell's sound, and its samples a second; of a file by its header.

    Raises:
        UnreadableCell: the cell is no sound; the message gives the reason.
    """
    source = _source(cell, root)
    if isinstance(source, Path | bytes):
        return sound_shape(source)
    sound = sound_array(*_samples(source, cell))
    return sound.seconds, sound.rate


def media_file(cell: object, root: Path | None) -> Path | tuple[bytes, str] | None:
    """The file that a cell names, or its content and suffix; None for a cell that is no file.

    Raises:
        UnreadableCell: the cell names no file that may be read; the message gives the reason.
    """
    source = _source(cell, root)
    if isinstance(source, bytes):
        return source, _content_suffix(source) or suffix_of(cell) or ".bin"
    return source if isinstance(source, Path) else None


def is_media(cell: object) -> bool:
    """True for an object that can only be an image or a sound, whether or not it opens; false for paths.

    Example:
        >>> is_media(np.zeros((8, 8, 3))), is_media("1.png"), is_media([1, 2])
        (True, False, False)
    """
    if isinstance(cell, Mapping):
        return {"bytes", "path"} <= set(cell) or {"array", "sampling_rate"} <= set(cell)
    if isinstance(cell, bytes | bytearray | memoryview):
        return bool(_content_suffix(bytes(cell[:16])))
    if isinstance(cell, np.ndarray):
        return cell.ndim >= 2 and cell.dtype.kind in "buif"
    if isinstance(cell, tuple | list):
        return len(cell) == 2 and _rate_and_samples(cell) is not None
    return isinstance(cell, Sound | MediaFile) or _is_pil_image(cell) or hasattr(cell, "get_all_samples")


def cell_size(cell: object, root: Path | None) -> int:
    """Bytes of a cell's file or content; 0 where there is none."""
    try:
        source = _source(cell, root)
        if isinstance(source, Path):
            return source.stat().st_size
        return len(source) if isinstance(source, bytes) else 0
    except (UnreadableCell, OSError):
        return 0


def cell_text(cell: object) -> str:
    """A cell as text for messages: media by their kind and size.

    Example:
        >>> cell_text(np.zeros((28, 28), np.uint8)), cell_text("1.png")
        ('an array of uint8 of shape (28, 28)', '1.png')
    """
    return str(cell) if isinstance(cell, str | int | float | bool | PurePath) else _kind(cell)


def _kind(cell: object) -> str:
    if isinstance(cell, np.ndarray):
        return f"an array of {cell.dtype} of shape {cell.shape}"
    if isinstance(cell, bytes | bytearray | memoryview):
        return f"{len(cell)} bytes" if len(cell) > 32 else repr(bytes(cell))
    if isinstance(cell, Sound):
        return f"a sound of {cell.seconds:.2f} s at {cell.rate} Hz"
    if _is_pil_image(cell):
        return f"a picture of {cell.width} x {cell.height} pixels"  # type: ignore[attr-defined]
    if is_media(cell):
        return f"{type(cell).__name__} of an image or sound"
    return str(cell)


def _source(cell: object, root: Path | None) -> Any:
    """A cell's file as its path or bytes; other cells as they are."""
    if isinstance(cell, Mapping) and "bytes" in cell and "path" in cell:
        content = cell["bytes"]
        cell = cell["path"] if content is None else content
    if isinstance(cell, str | PurePath):
        return locate(cell, root)
    if isinstance(cell, MediaFile):
        path = Path(cell.path)
        if not path.is_file():
            raise UnreadableCell("no such file")
        return path
    if isinstance(cell, bytes):
        return cell
    if isinstance(cell, bytearray | memoryview):
        return bytes(cell)
    if hasattr(cell, "read") and hasattr(cell, "seek"):
        cell.seek(0)
        content = cell.read()
        return content if isinstance(content, bytes) else cell
    return cell


def _samples(source: Any, cell: object) -> tuple[NDArray[Any], int]:
    pair = None
    if isinstance(source, Mapping):
        if {"array", "sampling_rate"} <= set(source):
            pair = source["array"], source["sampling_rate"]
        elif {"samples", "rate"} <= set(source):
            pair = source["samples"], source["rate"]
    elif hasattr(source, "samples") and hasattr(source, "rate"):
        pair = source.samples, source.rate
    elif hasattr(source, "get_all_samples"):
        decoded = source.get_all_samples()
        pair = decoded.data, decoded.sample_rate
    elif isinstance(source, tuple | list) and len(source) == 2:
        pair = _rate_and_samples(source)
    array = None if pair is None else _array(pair[0])
    if pair is None or array is None:
        raise UnreadableCell(f"is {_kind(cell)}, not a sound: give (rate, samples)")
    return array, int(pair[1])


def _rate_and_samples(pair: Any) -> tuple[Any, int] | None:
    """Samples and rate of a pair in either order."""
    for samples, rate in (pair, pair[::-1]):
        is_rate = isinstance(rate, int | np.integer) and not isinstance(rate, bool)
        is_rate = is_rate or (isinstance(rate, float | np.floating) and float(rate).is_integer())
        if is_rate and not isinstance(samples, str | bytes) and np.ndim(_numbers(samples)) in (1, 2):
            return samples, int(rate)
    return None


def _numbers(values: Any) -> Any:
    array = _array(values)
    return 0 if array is None else array


def _array(values: Any) -> NDArray[Any] | None:
    """An array of numbers from an array, a tensor or nested lists; None for anything else."""
    if hasattr(values, "detach"):
        values = values.detach().cpu().numpy()
    if (
        not isinstance(values, np.ndarray)
        and not isinstance(values, list | tuple)
        and not hasattr(values, "__array__")
    ):
        return None
    try:
        array = np.asarray(values)
        if array.dtype == object and array.size:
            # Arrow's nested lists come as arrays of arrays.
            array = np.array([_nested(value) for value in values])
    except (ValueError, TypeError):
        return None
    return array if array.dtype.kind in "buif" else None


def _nested(value: Any) -> Any:
    if isinstance(value, np.ndarray) and value.dtype == object:
        return [_nested(inner) for inner in value]
    return value


def _is_pil_image(cell: Any) -> bool:
    pillow = sys.modules.get("PIL.Image")
    return pillow is not None and isinstance(cell, pillow.Image)


def _content_suffix(content: bytes) -> str:
    """The suffix of a file's format by its first bytes; empty for an unknown one."""
    if content[:4] == b"RIFF":
        return _RIFF.get(content[8:12], "")
    if content[4:8] == b"ftyp":
        return _BRANDS.get(content[8:12], "")
    return next((suffix for first, suffix in _FIRST_BYTES.items() if content.startswith(first)), "")
