"""Suffixes of media files: those that are read, and those that are known but cannot be."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePath

import numpy as np

__all__ = ["AUDIO_SUFFIXES", "IMAGE_SUFFIXES", "suffix_of", "unreadable_media"]

IMAGE_SUFFIXES = (
    ".png", ".jpg", ".jpeg", ".jfif", ".gif", ".bmp", ".tif", ".tiff", ".webp", ".ppm", ".pgm", ".pbm", ".avif",
    ".jp2",
)  # fmt: skip
AUDIO_SUFFIXES = (
    ".wav",
    ".flac",
    ".ogg",
    ".oga",
    ".opus",
    ".mp3",
    ".aiff",
    ".aif",
    ".au",
    ".caf",
    ".w64",
    ".rf64",
)
_OPTIONAL = {
    ".svg": "with `pip install 'amodal[svg]'`, or as .png",
    ".heic": "with `pip install 'amodal[heic]'`, or as .jpg",
    ".heif": "with `pip install 'amodal[heic]'`, or as .jpg",
}
_UNREADABLE = {
    "picture": (
        ".tga", ".ico", ".cur", ".icns", ".psd", ".xcf", ".eps", ".ps", ".ai", ".wmf", ".emf", ".dds", ".exr", ".hdr",
        ".pcx", ".jxl", ".jxr", ".qoi", ".raw", ".dng", ".cr2", ".cr3", ".nef", ".arw", ".orf", ".rw2", ".dcm", ".svgz",
        ".djvu", ".pdf",
    ),
    "sound": (
        ".m4a", ".m4b", ".aac", ".wma", ".amr", ".ac3", ".ape", ".mid", ".midi", ".ra", ".dsf", ".dts", ".mka", ".wv",
        ".spx", ".3ga", ".alac", ".mpc", ".weba",
    ),
    "video": (
        ".mp4", ".m4v", ".mov", ".webm", ".mkv", ".avi", ".wmv", ".flv", ".mpg", ".mpeg", ".ogv", ".3gp", ".ts", ".mts",
        ".m2ts", ".vob", ".asf", ".rm", ".swf",
    ),
}  # fmt: skip
_KINDS = {suffix: kind for kind, suffixes in _UNREADABLE.items() for suffix in suffixes}
_WAYS = {
    "picture": "convert them to .png",
    "sound": "convert them to .wav or .flac",
    "video": "extract pictures (.png) or sounds (.wav) from them",
}
_MIN_SHARE = 0.8
_MAX_NAME = 400  # characters; a longer text names no file


def suffix_of(cell: object) -> str:
    """The lower-case suffix of a cell that may name a file; empty for any other cell.

    Example:
        >>> suffix_of("images/7.PNG "), suffix_of(7.5), suffix_of("It ended well.")
        ('.png', '', '')
    """
    if isinstance(cell, dict):
        cell = cell.get("path")
    if not isinstance(cell, str | PurePath) or len(str(cell)) > _MAX_NAME:
        return ""
    return PurePath(str(cell).strip()).suffix.lower()


def unreadable_media(cells: Iterable[object]) -> str:
    """The reason why a column's cells name media that cannot be read; empty for other columns.

    Four in five of the cells name files of formats that are known, but that no library here reads.

    Args:
        cells: some present cells.

    Example:
        >>> unreadable_media(["1.mp4", "2.mp4"])
        '2 of 2 sampled cells name video files (.mp4), which cannot be read: extract pictures (.png) or sounds (.wav) \
from them'
        >>> unreadable_media(["Dr. No", "No. 5"])
        ''
    """
    suffixes = [suffix_of(cell) for cell in cells]
    for kind in _UNREADABLE:
        named = [suffix for suffix in suffixes if _KINDS.get(suffix) == kind]
        if suffixes and len(named) >= _MIN_SHARE * len(suffixes):
            return _reason(named, len(suffixes), kind, _WAYS[kind])
    for optional, way in _OPTIONAL.items():
        named = [suffix for suffix in suffixes if suffix == optional]
        if suffixes and len(named) >= _MIN_SHARE * len(suffixes):
            return _reason(named, len(suffixes), "picture", f"read them {way}")
    return ""


def _reason(named: list[str], count: int, kind: str, way: str) -> str:
    formats = ", ".join(np.unique(named).tolist())
    return f"{len(named)} of {count} sampled cells name {kind} files ({formats}), which cannot be read: {way}"
