from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from amodal.batch import Batch
from amodal.metrics import (
    MetricUnavailable,
    fit_features,
    frechet_distance,
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


def test_too_few_cells_are_unavailable() -> None:
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
