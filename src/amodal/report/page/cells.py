"""Cells that a model draws to cells that a page shows."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amodal.media import fit_image, log_mel, png_bytes, resample, wav_bytes
from amodal.pages import Cell, Role, data_uri
from amodal.report.page.detail import Detail
from amodal.report.page.wording import number

_SMOOTH = 64
_BANDS, _FRAMES = 64, 200


def page_cell(column: str, type_: str, cell: Any, role: Role, detail: Detail) -> Cell:
    """One cell with its file in it.

    Args:
        column: its column.
        type_: the column's type.
        cell: a picture uint8 (H, W, C), a sound with `samples` and `rate`, a text, label or number; None is missing.
        role: whose it is.
        detail: how much of it is shown.
    """
    if cell is None:
        return Cell(column, "missing", "", role)
    if type_ == "image":
        picture = shrunk(cell, detail.pixels)
        return Cell(
            column,
            "image",
            data_uri(png_bytes(picture), "image/png"),
            role,
            smooth=max(picture.shape[:2]) > _SMOOTH,
        )
    if type_ == "audio":
        samples, rate = _cut(cell, detail)
        inside = data_uri(wav_bytes(samples, rate), "audio/wav")
        return Cell(
            column, "audio", inside, role, data_uri(png_bytes(_spectrogram(samples, rate)), "image/png")
        )
    text = number(float(cell)) if type_ == "number" else str(cell)
    return Cell(
        column, "text", text if len(text) <= detail.letters else text[: detail.letters - 1] + "…", role
    )


def shrunk(picture: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """A picture (H, W, C), its longest side at most `side` pixels."""
    height, width = picture.shape[:2]
    if max(height, width) <= side:
        return picture
    scale = side / max(height, width)
    channels = 3 if picture.shape[2:] == (3,) else 1
    return fit_image(picture, max(1, round(height * scale)), max(1, round(width * scale)), channels)


def _cut(sound: Any, detail: Detail) -> tuple[NDArray[np.float32], int]:
    samples = np.asarray(sound.samples[: max(2, round(detail.seconds * sound.rate))], np.float32)
    if sound.rate <= detail.rate:
        return samples, int(sound.rate)
    return resample(samples, sound.rate, detail.rate), detail.rate


def _spectrogram(samples: NDArray[np.float32], rate: int) -> NDArray[np.uint8]:
    """The loudness over time, left to right, and pitch, low to high, uint8 (bands, frames, 3)."""
    n_fft = max(256, 2 ** round(np.log2(rate * 0.04)))
    hop = max(n_fft // 8, -(-len(samples) // _FRAMES))
    bands = min(_BANDS, n_fft // 8)
    loudness = log_mel(samples, rate, target_rate=rate, n_fft=n_fft, hop=hop, mels=bands)
    # The quietest of what a page shows is nothing to see.
    level = np.clip((loudness[::-1] - 0.2) / 0.7, 0, 1)
    return np.asarray(_colours()[(level * 255).astype(np.uint8)])


@cache
def _colours() -> NDArray[np.uint8]:
    """Dark to bright, even to the eye: uint8 (256, 3)."""
    from matplotlib import colormaps

    return np.asarray(colormaps["magma"](np.arange(256), bytes=True)[:, :3], np.uint8)
