from __future__ import annotations

import numpy as np
import pytest

from amodal.metrics import missingness

RNG = np.random.default_rng(0)


def test_missing_cells_are_counted_alone_and_together() -> None:
    present = RNG.random((2_000, 3)) > 0.3
    same = missingness(present[:1_000], present[1_000:])
    assert same.rates.value < 0.05
    assert same.pair_rates.value < 0.05
    complete = missingness(present, np.ones((100, 3), bool))
    assert complete.rates.value == pytest.approx(0.3, abs=0.03)
    assert complete.pair_rates.value == pytest.approx(0.09, abs=0.02)
    tied = np.repeat(present[:, :1], 3, axis=1)
    assert missingness(present, tied).rates.value < 0.05
    assert missingness(present, tied).pair_rates.value == pytest.approx(0.21, abs=0.03)
    np.testing.assert_allclose(np.diagonal(same.real), 1 - present[:1_000].mean(axis=0))


def test_one_column_has_no_pairs() -> None:
    assert missingness(np.ones((20, 1), bool), np.zeros((20, 1), bool)).pair_rates.value == 0.0
