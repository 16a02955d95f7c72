from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from scipy.linalg import sqrtm

from amodal.batch import Batch
from amodal.metrics import (
    MetricUnavailable,
    fit_features,
    frechet_distance,
    gaussian_frechet,
    length_distance,
    ngram_overlap,
    normalized_wasserstein,
    prdc,
    shuffled_values,
    total_variation,
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


def test_real_rows_are_precise_and_varied() -> None:
    found = prdc(normal(800), normal(800))
    for score in (found.precision, found.recall, found.coverage):
        assert score.value > 0.9
    assert found.density.value == pytest.approx(1.0, abs=0.15)


def test_one_row_repeated_has_no_recall() -> None:
    real = normal(500)
    found = prdc(real, real[:1].repeat(500, axis=0))
    assert found.precision.value == 1.0
    assert found.recall.value <= 1 / 500
    assert found.coverage.value < 0.05


def test_what_is_unlike_any_real_row_has_no_precision() -> None:
    found = prdc(normal(300), normal(300) + 9)
    assert (found.precision.value, found.density.value, found.coverage.value) == (0.0, 0.0, 0.0)


def test_pixels_of_other_pictures_are_no_pictures(real: Batch, modalities: dict[str, Any]) -> None:
    # Pictures are light or dark as a whole; their pixels mixed make grey noise.
    pictures = real.x["image"].repeat(5, 1, 1, 1) * 0.2
    pictures[::2] += 0.8
    pictures = pictures[torch.randperm(len(pictures), generator=torch.Generator().manual_seed(0))]
    features = fit_features(modalities["image"], pictures)
    vectors = features(pictures)
    mixed = features(shuffled_values(pictures[100:]))
    assert prdc(vectors[:100], vectors[100:]).precision.value > 0.9
    assert prdc(vectors[:100], mixed).precision.value < 0.1
    assert frechet_distance(vectors[:100], vectors[100:]).value < 0.2
    assert frechet_distance(vectors[:100], mixed).value > 0.5


def test_numbers_are_as_far_as_they_must_be_moved() -> None:
    numbers = RNG.normal(20, 5, 4_000)
    assert normalized_wasserstein(numbers[:2_000], numbers[2_000:]).value < 0.1
    assert normalized_wasserstein(numbers, numbers + 10).value == pytest.approx(10 / numbers.std())


def test_labels_are_as_far_as_they_must_be_changed() -> None:
    labels = RNG.choice(list("abc"), 4_000)
    assert total_variation(labels[:2_000].tolist(), labels[2_000:].tolist()).value < 0.05
    assert total_variation(["a"] * 20, ["unseen"] * 20).value == 1.0


def test_texts_are_compared_by_words_and_length() -> None:
    real = [f"the {thing} sees a {colour} hen" for thing in ("cat", "dog") for colour in ("red", "blue")] * 10
    assert ngram_overlap(real, list(reversed(real))).value == pytest.approx(1.0)
    assert length_distance(real, list(reversed(real))).value == 0.0
    assert length_distance(real, [f"{text} {text}" for text in real]).value == pytest.approx(1.0)
    backwards = [" ".join(reversed(text.split())) for text in real]
    assert ngram_overlap(real, backwards, n=1).value == pytest.approx(1.0)
    assert ngram_overlap(real, backwards).value == 0.0


def test_too_few_cells_are_left_out_with_the_reason() -> None:
    few, many = normal(5), normal(50)
    for metric in (frechet_distance, prdc):
        with pytest.raises(MetricUnavailable, match=r"at least 1\d generated cells, and there are 5"):
            metric(many, few)
        with pytest.raises(MetricUnavailable, match="real cells"):
            metric(few, many)
    with pytest.raises(MetricUnavailable, match="at least 10 real numbers"):
        normalized_wasserstein(few[:, 0], many[:, 0])
    with pytest.raises(MetricUnavailable, match="all real numbers are the same"):
        normalized_wasserstein(np.ones(20), many[:, 0])
    with pytest.raises(MetricUnavailable, match="at least 10 generated labels"):
        total_variation(["a"] * 20, ["a"])
    with pytest.raises(MetricUnavailable, match="no run of 3 words in the real texts"):
        ngram_overlap([""] * 10, ["a hen"] * 10, n=3)
    with pytest.raises(MetricUnavailable, match="have no words"):
        length_distance([""] * 10, ["a hen"] * 10)
