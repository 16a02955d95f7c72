from __future__ import annotations

import numpy as np
import pytest

from amodal.metrics import (
    ssim,
)

RNG = np.random.default_rng(0)


def test_similarity_is_one_of_equal_pictures_and_zero_of_unrelated_ones() -> None:
    pictures = RNG.integers(0, 256, (4, 32, 24, 3), dtype=np.uint8)
    np.testing.assert_allclose(ssim(pictures, pictures), 1.0)
    assert np.abs(ssim(pictures, pictures[::-1])).max() < 0.2
    brighter = np.clip(pictures.astype(int) + 20, 0, 255)
    assert (ssim(pictures, brighter) < 1).all()
    assert (ssim(pictures, brighter) > 0.8).all()


def test_similarity_is_that_of_the_paper_at_each_pixel() -> None:
    one, other = RNG.integers(0, 256, (2, 1, 15, 13, 1)).astype(float)
    place = np.arange(-5, 6)
    window = np.exp(-(place**2) / (2 * 1.5**2))
    window = np.outer(window, window) / window.sum() ** 2
    padded = [np.pad(picture[0, :, :, 0], 5, mode="symmetric") for picture in (one, other)]
    values = []
    for row in range(15):
        for column in range(13):
            x, y = (picture[row : row + 11, column : column + 11] for picture in padded)
            mx, my = (window * x).sum(), (window * y).sum()
            vx, vy = (window * (x - mx) ** 2).sum(), (window * (y - my) ** 2).sum()
            cov = (window * (x - mx) * (y - my)).sum()
            c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
            values.append((2 * mx * my + c1) * (2 * cov + c2) / ((mx**2 + my**2 + c1) * (vx + vy + c2)))
    assert ssim(one, other)[0] == pytest.approx(np.mean(values), abs=1e-9)


def test_pictures_of_one_pixel_and_of_other_sizes() -> None:
    dot = np.full((2, 1, 1, 1), 7)
    np.testing.assert_allclose(ssim(dot, dot), 1.0)
    with pytest.raises(ValueError, match="do not compare"):
        ssim(dot, np.zeros((2, 3, 3, 1)))
