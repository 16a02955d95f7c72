import cv2
import numpy as np
import pytest

from amodal.metrics.sharpness import BANDS, sharpness, spectrum


@pytest.fixture
def pictures() -> list[np.ndarray]:
    generator = np.random.default_rng(0)
    # Edges: filled circles and boxes on white, as drawings have them.
    made = []
    for _ in range(6):
        picture = np.full((64, 64, 3), 255, np.uint8)
        for _ in range(4):
            colour, (x, y, size) = (
                generator.integers(0, 255, 3).tolist(),
                generator.integers(8, 56, 3).tolist(),
            )
            cv2.circle(picture, (x, y), size // 4, colour, -1)
            cv2.rectangle(picture, (y, x), (y + size // 5, x + size // 4), colour, -1)
        made.append(picture)
    return made


def test_real_pictures_are_as_sharp_as_they_are(pictures: list[np.ndarray]) -> None:
    assert sharpness(pictures, pictures) == 1


def test_blurred_pictures_are_less_sharp_and_noisy_ones_too_sharp(pictures: list[np.ndarray]) -> None:
    blurred = [[cv2.GaussianBlur(picture, (0, 0), sigma) for picture in pictures] for sigma in (0.7, 1.5)]
    slightly, much = (sharpness(some, pictures) for some in blurred)
    assert much < slightly < 0.9
    assert much < 0.1
    noise = np.random.default_rng(0).integers(0, 255, (6, 64, 64, 3)).astype(np.uint8)
    assert sharpness(list(noise), pictures) > 1


@pytest.mark.parametrize("cycles", [3, 12, 20, 30])
def test_a_wave_is_in_the_band_of_its_frequency(cycles: int) -> None:
    wave = 127 + 100 * np.sin(2 * np.pi * cycles * np.arange(64) / 64)
    picture = np.tile(wave, (64, 1)).astype(np.uint8)
    energy = spectrum(picture)
    assert energy.argmax() == int(cycles / 64 * 2 * BANDS)
    assert spectrum(np.full((64, 64), 80, np.uint8)).sum() < 1e-9
