from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import sqrtm

from amodal.metrics import (
    frechet_distance,
    gaussian_frechet,
)

RNG = np.random.default_rng(0)


def normal(rows: int, size: int = 4) -> np.ndarray:
    return RNG.normal(size=(rows, size)) / np.sqrt(size)


@pytest.mark.parametrize("size", [1, 3, 12])
def test_frechet_is_the_closed_form_of_two_gaussians(size: int) -> None:
    one, other = RNG.normal(size=(2, size, 2 * size))
    a, b = one @ one.T, other @ other.T
    m, n = RNG.normal(size=(2, size))
    expected = np.sum((m - n) ** 2) + np.trace(a + b - 2 * sqrtm(a @ b).real)
    assert gaussian_frechet(m, a, n, b) == pytest.approx(expected, abs=1e-6)
    assert gaussian_frechet(m, a, m, a) == pytest.approx(0, abs=1e-6)


def test_frechet_of_commuting_gaussians_is_that_of_their_deviations() -> None:
    a, b = np.diag([1.0, 4.0, 0.0]), np.diag([9.0, 0.0, 0.0])
    assert gaussian_frechet(np.zeros(3), a, np.zeros(3), b) == pytest.approx(4 + 4, abs=1e-6)


def test_frechet_of_real_rows_is_near_zero_and_of_the_mean_repeated_one() -> None:
    real = normal(2_000)
    assert frechet_distance(real, normal(2_000)).value < 0.01
    assert frechet_distance(real, np.zeros((2_000, 4))).value == pytest.approx(1.0, abs=0.05)
    assert frechet_distance(real, real[:1].repeat(50, axis=0)).value > 0.5


def test_more_rows_than_are_looked_at_are_said_to_be_subsampled() -> None:
    score = frechet_distance(normal(5_000), normal(3_000))
    assert (score.rows, score.subsampled) == (2_000, True)
    score = frechet_distance(normal(50), normal(50))
    assert (score.rows, score.subsampled) == (50, False)
