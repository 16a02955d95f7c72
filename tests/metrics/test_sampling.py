from __future__ import annotations

import numpy as np
import pytest
import torch

from amodal.batch import Batch
from amodal.metrics import (
    bootstrap,
    proportion,
    shuffled_columns,
    shuffled_values,
    subsample,
)


def test_many_rows_are_subsampled_the_same_each_time() -> None:
    rows = subsample(100_000, seed=3)
    assert len(rows) == 2_000
    assert len(set(rows.tolist())) == 2_000
    assert (np.diff(rows) > 0).all()
    np.testing.assert_array_equal(rows, subsample(100_000, seed=3))
    assert (rows != subsample(100_000, seed=4)).any()


def test_bootstrap_intervals_hold_the_mean_as_often_as_they_should() -> None:
    rng = np.random.default_rng(0)
    held = 0
    for _ in range(60):
        values = rng.normal(size=80)
        score = bootstrap(lambda rows, values=values: float(values[rows].mean()), 80)
        assert score.low is not None
        assert score.high is not None
        held += score.low <= 0.0 <= score.high
    assert held >= 50


def test_a_share_has_an_interval_at_its_ends_too() -> None:
    never = proportion(np.zeros(50, bool))
    assert (never.value, never.low) == (0.0, 0.0)
    assert never.high == pytest.approx(0.071, abs=1e-3)


def test_shuffling_keeps_columns_and_breaks_rows() -> None:
    numbers = torch.arange(100)
    present = torch.stack([numbers % 3 > 0, numbers % 2 > 0], dim=1)
    batch = Batch({"a": numbers, "b": numbers.clone()}, present, numbers)
    shuffled = shuffled_columns(batch)
    assert shuffled.x["a"].sort().values.equal(numbers)
    assert (shuffled.x["a"] == shuffled.x["b"]).sum() < 10
    # A cell that was missing is missing where it went.
    assert (shuffled.x["a"] % 3 > 0).equal(shuffled.present[:, 0])
    assert (shuffled.x["b"] % 2 > 0).equal(shuffled.present[:, 1])


def test_shuffled_values_are_the_same_values_in_other_cells() -> None:
    cells = torch.arange(60.0).reshape(10, 2, 3)
    shuffled = shuffled_values(cells)
    assert shuffled.sort(dim=0).values.equal(cells)
    assert not shuffled.equal(cells)
