"""Sharpness of images, by their energy at high spatial frequencies."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

BANDS = 8


def spectrum(picture: NDArray[np.uint8], bands: int = BANDS) -> NDArray[np.float64]:
    """The energy (bands,) of a picture's brightness by spatial frequency, from 0 to half a cycle a pixel.

    The mean brightness is left out. So is what a border that does not meet the opposite one adds: brightness fades to
    its mean there (Hann's window).

    Args:
        picture: (H, W) or (H, W, C).
        bands: of the same width; what is above half a cycle, in the corners, belongs to the last.
    """
    grey = np.asarray(picture, np.float64).reshape(*picture.shape[:2], -1).mean(2) / 255
    window = np.hanning(grey.shape[0])[:, None] * np.hanning(grey.shape[1])
    energy = np.square(np.abs(np.fft.fft2((grey - grey.mean()) * window)))
    down, across = (np.fft.fftfreq(size) for size in grey.shape)
    band = (np.hypot(down[:, None], across) * 2 * bands).astype(int).clip(0, bands - 1)
    return np.bincount(band.ravel(), energy.ravel(), minlength=bands) / grey.size**2


def sharpness(pictures: Sequence[NDArray[np.uint8]], real: Sequence[NDArray[np.uint8]]) -> float:
    """The energy of the upper half of spatial frequencies over that of real pictures of the same size.

    1 is as sharp; less is blurred, more is noise or edges that are none.
    """
    upper, of_real = (
        np.mean([spectrum(picture)[BANDS // 2 :].sum() for picture in some]) for some in (pictures, real)
    )
    return float(upper / of_real)
