"""Structural similarity of images."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

_SIGMA, _RADIUS = 1.5, 5


def ssim(images: NDArray[Any], others: NDArray[Any], *, full_scale: float = 255.0) -> NDArray[np.float64]:
    """Structural similarity in luminance, contrast and structure: 1 for the same image, about 0 for unrelated ones.

    Source: Wang et al., "Image quality assessment: from error visibility to structural similarity", IEEE TIP 2004,
    with its Gaussian windows of 11 x 11 pixels, reflected at the border, and the mean over colours.

    Args:
        images: (N, H, W, C), of any size from 1 x 1.
        others: (N, H, W, C).
        full_scale: the range of the pixels.

    Returns:
        (N,), -1 to 1.

    Raises:
        ValueError: the shapes differ.
    """
    if images.shape != others.shape:
        raise ValueError(f"images of shape {images.shape} and {others.shape} do not compare")
    one, other = np.asarray(images, np.float64), np.asarray(others, np.float64)
    mean, other_mean = _window(one), _window(other)
    variance, other_variance = _window(one**2) - mean**2, _window(other**2) - other_mean**2
    covariance = _window(one * other) - mean * other_mean
    luminance, contrast = (0.01 * full_scale) ** 2, (0.03 * full_scale) ** 2
    numerator = (2 * mean * other_mean + luminance) * (2 * covariance + contrast)
    denominator = (mean**2 + other_mean**2 + luminance) * (variance + other_variance + contrast)
    return np.asarray((numerator / denominator).mean(axis=(1, 2, 3)))


def _window(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(gaussian_filter(values, _SIGMA, radius=_RADIUS, axes=(1, 2)))
