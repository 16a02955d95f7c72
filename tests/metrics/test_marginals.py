from __future__ import annotations

import numpy as np
import pytest

from amodal.metrics import (
    normalized_wasserstein,
    total_variation,
)

RNG = np.random.default_rng(0)


def test_numbers_are_as_far_as_they_must_be_moved() -> None:
    numbers = RNG.normal(20, 5, 4_000)
    assert normalized_wasserstein(numbers[:2_000], numbers[2_000:]).value < 0.1
    assert normalized_wasserstein(numbers, numbers + 10).value == pytest.approx(10 / numbers.std())


def test_labels_are_as_far_as_they_must_be_changed() -> None:
    labels = RNG.choice(list("abc"), 4_000)
    assert total_variation(labels[:2_000].tolist(), labels[2_000:].tolist()).value < 0.05
    assert total_variation(["a"] * 20, ["unseen"] * 20).value == 1.0
