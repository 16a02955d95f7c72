from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

from amodal.modalities import NumberQuantile
from amodal.problems import BadCells, RejectColumn


def test_any_shape_becomes_a_bell() -> None:
    heavy = pd.Series(np.random.default_rng(0).standard_cauchy(5000))
    tensor = NumberQuantile.fit(heavy, None).to_tensor(heavy, None)
    assert abs(float(tensor.mean())) < 0.05
    assert abs(float(tensor.std()) - 1) < 0.05


def test_whole_numbers_stay_whole_and_decimals_stay() -> None:
    for cells, kind in ((pd.Series(range(0, 300, 3)), int), (pd.Series(np.arange(100) / 100), float)):
        fitted = NumberQuantile.fit(cells, None)
        drawn = fitted.to_cells(torch.randn(50))
        assert all(isinstance(value, kind) for value in drawn)
        assert all(cells.min() <= value <= cells.max() for value in drawn)
    assert fitted.decimals == 2


def test_tiny_numbers_keep_their_digits() -> None:
    cells = pd.Series(np.random.default_rng(0).uniform(1e-9, 9e-9, 50))
    fitted = NumberQuantile.fit(cells, None)
    np.testing.assert_allclose(fitted.to_cells(fitted.to_tensor(cells, None)), cells, rtol=1e-3)


def test_numbers_may_be_written_as_text() -> None:
    cells = pd.Series(["1.5", "2", " 3e1 "])
    fitted = NumberQuantile.fit(cells, None)
    assert fitted.to_cells(fitted.to_tensor(cells, None)) == [1.5, 2.0, 30.0]


def test_what_is_not_finite_is_a_bad_cell() -> None:
    fitted = NumberQuantile.fit(pd.Series([1.0, 2.0, np.inf]), None)
    with pytest.raises(BadCells) as caught:
        fitted.to_tensor(pd.Series(["1", "nan", "-inf", "many"]), None)
    assert sorted(caught.value.reasons) == [1, 2, 3]
    assert "not a finite number" in caught.value.reasons[3]


def test_few_whole_numbers_name_categories() -> None:
    with pytest.raises(RejectColumn, match="3 distinct"):
        NumberQuantile.accepts(pd.Series([1, 2, 3] * 20), None)
    with pytest.raises(RejectColumn, match="category"):
        NumberQuantile.accepts(pd.Series([True, False]), None)
