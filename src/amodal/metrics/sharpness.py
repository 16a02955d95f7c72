"""Sharpness of images, by their energy at high spatial frequencies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amodal.metrics.estimate import MetricUnavailable

BANDS = 8


def spectrum(image: NDArray[Any], bands: int = BANDS) -> NDArray[np.float64]:
    """The energy (bands,) of an image's brightness by spatial frequency, from 0 to half a cycle a pixel.

    The mean brightness is left out. So is what a border that does not meet the opposite one adds: brightness fades to
    its mean there (Hann's window).

    Args:
        image: (H, W) or (H, W, C), 0 to 255.
        bands: of the same width; what is above half a cycle, in the corners, belongs to the last.
    """
    grey = np.asarray(image, np.float64).reshape(*image.shape[:2], -1).mean(2) / 255
    window = np.hanning(grey.shape[0])[:, None] * np.hanning(grey.shape[1])
    energy = np.square(np.abs(np.fft.fft2((grey - grey.mean()) * window)))
    down, across = (np.fft.fftfreq(size) for size in grey.shape)
    band = (np.hypot(down[:, None], across) * 2 * bands).astype(int).clip(0, bands - 1)
    return np.bincount(band.ravel(), energy.ravel(), minlength=bands) / grey.size**2


def sharpness(images: Sequence[NDArray[Any]], real: Sequence[NDArray[Any]]) -> float:
    """The energy of the upper half of spatial frequencies over that of real images of the same size.

    1 is as sharp; less is blurred, more is noise or edges that are none.

    Raises:
        MetricUnavailable: real images have no energy there, as images of one colour.
    """
    upper, of_real = (
        float(np.mean([spectrum(image)[BANDS // 2 :].sum() for image in some])) for some in (images, real)
    )
    if of_real < 1e-12:
        raise MetricUnavailable("real images have no detail")
    return upper / of_real
