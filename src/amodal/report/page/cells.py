"""Cells on a page: images and sounds inside the page itself, all else as text."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from amodal.errors import shorten
from amodal.media import fit_image, log_mel, png_bytes, resample, wav_bytes
from amodal.pages import Cell, Role, data_uri
from amodal.report.page.detail import Detail
from amodal.report.page.formatting import number

_SMOOTH = 64
_BANDS, _FRAMES = 64, 200


def render_cell(column: str, display: str, cell: Any, role: Role, detail: Detail) -> Cell:
    """One cell with its file inside it.

    Args:
        column: its column.
        display: as in `ColumnMetrics`.
        cell: an image uint8 (H, W, C), a sound with `samples` and `rate`, else any value; None is missing.
        role: given, drawn or real.
        detail: limits of its size.
    """
    if cell is None:
        return Cell(column, "missing", "", role)
    if display == "image":
        image = shrink_image(cell, detail.pixels)
        smooth = max(image.shape[:2]) > _SMOOTH
        return Cell(column, "image", data_uri(png_bytes(image), "image/png"), role, smooth=smooth)
    if display == "audio":
        samples, rate = _shorten(cell, detail)
        sound = data_uri(wav_bytes(samples, rate), "audio/wav")
        spectrogram = data_uri(png_bytes(_spectrogram(samples, rate)), "image/png")
        return Cell(column, "audio", sound, role, spectrogram)
    text = number(float(cell)) if display == "number" else str(cell)
    return Cell(column, "text", shorten(text, detail.letters), role)


def shrink_image(image: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """An image (H, W, C), its longest side at most `side` pixels."""
    height, width = image.shape[:2]
    if max(height, width) <= side:
        return image
    scale = side / max(height, width)
    channels = 3 if image.shape[2:] == (3,) else 1
    return fit_image(image, max(1, round(height * scale)), max(1, round(width * scale)), channels)


def _shorten(sound: Any, detail: Detail) -> tuple[NDArray[np.float32], int]:
    samples = np.asarray(sound.samples[: max(2, round(detail.seconds * sound.rate))], np.float32)
    if sound.rate <= detail.rate:
        return samples, int(sound.rate)
    return resample(samples, sound.rate, detail.rate), detail.rate


def _spectrogram(samples: NDArray[np.float32], rate: int) -> NDArray[np.uint8]:
    """Loudness by time, left to right, and pitch, low to high, as colours uint8 (bands, frames, 3)."""
    n_fft = max(256, 2 ** round(np.log2(rate * 0.04)))
    hop = max(n_fft // 8, -(-len(samples) // _FRAMES))
    bands = min(_BANDS, n_fft // 8)
    loudness = log_mel(samples, rate, target_rate=rate, n_fft=n_fft, hop=hop, mels=bands)
    level = np.clip((loudness[::-1] - 0.2) / 0.7, 0, 1)
    colours = cv2.applyColorMap((level * 255).astype(np.uint8), cv2.COLORMAP_MAGMA)
    return np.asarray(colours[..., ::-1])  # OpenCV's order is blue, green, red
