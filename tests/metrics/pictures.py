"""Real-looking pictures and sounds, made by rules, and what may stand for them."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

Images = NDArray[np.uint8]
Samples = NDArray[np.float32]

RATE = 8_000


def drawings(rows: int, seed: int = 0) -> Images:
    """Coloured shapes with sharp edges on white, 64 x 64, as emoji are."""
    rng = np.random.default_rng(seed)
    images = np.full((rows, 64, 64, 3), 255, np.uint8)
    for image in images:
        for _ in range(rng.integers(2, 6)):
            colour, size = rng.integers(0, 255, 3).tolist(), int(rng.integers(4, 20))
            x, y = rng.integers(10, 54, 2).tolist()
            if rng.random() < 0.5:
                cv2.circle(image, (x, y), size // 2 + 2, colour, -1)
            else:
                cv2.rectangle(image, (x - size // 2, y - size // 2), (x + size, y + size // 2), colour, -1)
    return images


def digits(rows: int, seed: int = 0) -> Images:
    """Grey digits of several sizes, slants and strengths, 28 x 28 x 1, as handwritten ones."""
    rng = np.random.default_rng(seed)
    images = np.zeros((rows, 28, 28, 1), np.uint8)
    for image in images:
        large = np.zeros((112, 112), np.uint8)
        font, thick = cv2.FONT_HERSHEY_SIMPLEX, int(rng.integers(6, 14))
        cv2.putText(large, str(rng.integers(10)), (24, 88), font, rng.uniform(2.2, 3), 255, thick)
        turn = np.array(
            [[1, rng.normal(0, 0.2), rng.normal(0, 6)], [rng.normal(0, 0.1), 1, rng.normal(0, 6)]]
        )
        large = cv2.warpAffine(large, turn, (112, 112))
        image[..., 0] = cv2.resize(large, (28, 28), interpolation=cv2.INTER_AREA)
    return images


def photographs(rows: int, seed: int = 0) -> Images:
    """Pieces of 32 x 32 of two photographs, as scikit-learn has them."""
    from sklearn.datasets import load_sample_images

    rng = np.random.default_rng(seed)
    images = load_sample_images().images
    pieces = []
    for row in range(rows):
        image = images[row % len(images)]
        y, x = (int(rng.integers(0, size - 32)) for size in image.shape[:2])
        pieces.append(image[y : y + 32, x : x + 32])
    return np.stack(pieces)[rng.permutation(rows)]


PICTURES: dict[str, Callable[[int], Images]] = {
    "drawings": drawings,
    "digits": digits,
    "photographs": photographs,
}


def blurred(images: Images, sigma: float) -> Images:
    return _pixels(gaussian_filter(images.astype(np.float64), (0, sigma, sigma, 0)))


def worthless(images: Images, seed: int = 0) -> dict[str, Images]:
    """Pictures of nothing, each by what it keeps of real ones."""
    rng, cells = np.random.default_rng(seed), images.astype(np.float64)
    mean, std = cells.mean((1, 2), keepdims=True), cells.std((1, 2), keepdims=True)
    return {
        "uniform noise": rng.integers(0, 256, images.shape).astype(np.uint8),
        "noise of its mean and variance": _pixels(mean + std * rng.normal(size=cells.shape)),
        "noise about the mean image": _pixels(cells.mean(0) + cells.std(0) * rng.normal(size=cells.shape)),
        "mean colour": _pixels(np.broadcast_to(mean, cells.shape)),
        "mean image": _pixels(np.broadcast_to(cells.mean(0), cells.shape)),
        "one image": np.broadcast_to(images[:1], images.shape),
    }


def _pixels(cells: NDArray[np.float64]) -> Images:
    return np.clip(np.rint(cells), 0, 255).astype(np.uint8)


def notes(rows: int, seed: int = 0) -> list[Samples]:
    """Tones of half a second with harmonics, an onset and a decay, a hiss at the onset and the noise of a room."""
    rng = np.random.default_rng(seed)
    time = np.arange(RATE // 2) / RATE
    sounds = []
    for _ in range(rows):
        pitch, bright = 110 * 2 ** rng.uniform(0, 3), rng.uniform(0.3, 0.9)
        start, decay = rng.uniform(0, 0.15), rng.uniform(2, 10)
        after = np.clip(time - start, 0, None)
        wave = sum(
            bright**k * np.sin(2 * np.pi * pitch * k * time + rng.uniform(0, 6))
            for k in range(1, 12)
            if pitch * k < RATE / 2
        )
        wave = wave * np.minimum(after / 0.01, 1) * np.exp(-decay * after)
        hiss = rng.normal(size=len(time)) * (np.abs(time - start) < 0.02) * rng.uniform(0, 0.5)
        room = rng.normal(size=len(time)) * 10 ** rng.uniform(-3, -2)
        sounds.append((rng.uniform(0.1, 0.4) * (wave + hiss) + room).astype(np.float32))
    return sounds
