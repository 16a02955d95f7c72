"""Contact sheets of real cells above drawn ones."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amodal.media import Sound, fit_image, log_mel, write_image

_GAP = 2
_SPECTROGRAM = (80, 160)


def spectrogram(sound: Sound) -> NDArray[np.uint8]:
    """A sound as a grey picture: time to the right, pitch upwards, loud is white; of the first two seconds."""
    samples = sound.samples[: 2 * sound.rate]
    mel = log_mel(samples, sound.rate, target_rate=16_000, n_fft=1024, hop=256, mels=_SPECTROGRAM[0])
    grey = (mel[::-1, : _SPECTROGRAM[1]] * 255).astype(np.uint8)
    return np.pad(grey, ((0, 0), (0, max(0, _SPECTROGRAM[1] - grey.shape[1]))))


def contact_sheet(
    real: Sequence[NDArray[np.uint8]], drawn: Sequence[NDArray[np.uint8]], across: int
) -> NDArray[np.uint8]:
    """Lines of `across` real pictures, and under each line as many drawn ones, all of the first drawn one's size."""
    height, width = drawn[0].shape[:2]
    lines = []
    for start in range(0, min(len(real), len(drawn)), across):
        for some in (real, drawn):
            cells = [fit_image(cell, height, width, 3) for cell in some[start : start + across]]
            cells += [np.full((height, width, 3), 255, np.uint8)] * (across - len(cells))
            below = 1 if some is real else 3 * _GAP
            lines.append(
                np.concatenate(
                    [np.pad(cell, ((0, below), (0, _GAP), (0, 0)), constant_values=255) for cell in cells],
                    axis=1,
                )
            )
    return np.concatenate(lines)


def write_sheet(path: Path, kind: str, real: Sequence[Any], drawn: Sequence[Any], most: int = 64) -> None:
    """Write a sheet of pictures, or of sounds' spectrograms, as PNG."""
    real, drawn = real[:most], drawn[:most]
    if kind == "audio":
        real, drawn = ([spectrogram(sound) for sound in some] for some in (real, drawn))
    write_image(path, contact_sheet(real, drawn, 8 if kind == "audio" else 16))
