from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

from amodal.errors import BadCells, RejectColumn
from amodal.modalities import NumberQuantile

RNG = np.random.default_rng(0)


def there_and_back(cells: pd.Series) -> list:
    modality = NumberQuantile.fit(cells, None)
    return list(modality.to_cells(modality.scale(modality.to_tensor(cells, None))))


def test_whole_numbers_stay_whole() -> None:
    cells = pd.Series(RNG.permutation(200))
    back = there_and_back(cells)
    assert back == cells.tolist()
    assert all(type(cell) is int for cell in back)


def test_draws_of_whole_numbers_are_whole() -> None:
    modality = NumberQuantile.fit(pd.Series(range(200)), None)
    drawn = modality.to_cells(torch.randn(50))
    assert all(type(cell) is int for cell in drawn)


@pytest.mark.parametrize("decimals", [1, 2, 3])
def test_the_decimals_of_the_column_are_kept(decimals: int) -> None:
    cells = pd.Series(RNG.normal(5, 3, 150).round(decimals))
    modality = NumberQuantile.fit(cells, None)
    assert modality.decimals == decimals
    drawn = modality.to_cells(torch.randn(100))
    assert drawn == [round(cell, decimals) for cell in drawn]
    assert there_and_back(cells) == cells.tolist()


def test_tiny_numbers_keep_their_digits() -> None:
    cells = pd.Series(RNG.uniform(1, 9, 100) * 1e-9)
    np.testing.assert_allclose(there_and_back(cells), cells, rtol=1e-4)


def test_text_of_numbers_is_read() -> None:
    cells = pd.Series(["1.5", "2.25", "-3", "1e3"] * 10)
    assert NumberQuantile.detect(pd.Series([f"{value:.3f}" for value in RNG.normal(size=50)]), None)
    assert there_and_back(cells) == [1.5, 2.25, -3.0, 1000.0] * 10


@pytest.mark.parametrize("bad", [np.inf, -np.inf, np.nan, "seven", None])
def test_what_is_no_finite_number_is_a_bad_cell(bad: object) -> None:
    modality = NumberQuantile.fit(pd.Series([1.0, 2.0, 3.5]), None)
    with pytest.raises(BadCells) as caught:
        modality.to_tensor(pd.Series([1.0, bad, 2.0, bad], dtype=object), None)
    assert list(caught.value.reasons) == [1, 3]


def test_infinities_do_not_spoil_the_fit() -> None:
    modality = NumberQuantile.fit(pd.Series([np.inf, 1.0, 2.0, -np.inf, 3.0]), None)
    assert (modality.quantiles[0], modality.quantiles[-1]) == (1.0, 3.0)


def test_heavy_tails_become_a_bell() -> None:
    cells = pd.Series(RNG.standard_cauchy(5_000))
    modality = NumberQuantile.fit(cells, None)
    tensor = modality.to_tensor(cells, None)
    assert tensor.isfinite().all()
    assert tensor.mean().abs() < 0.05
    assert (tensor.std() - 1).abs() < 0.1
    assert tensor.abs().max() < 6


def test_order_is_kept() -> None:
    cells = pd.Series(np.sort(RNG.lognormal(0, 3, 300)))
    tensor = NumberQuantile.fit(cells, None).to_tensor(cells, None)
    assert (tensor.diff() >= 0).all()


def test_numbers_beyond_what_was_seen_are_taken_to_its_ends() -> None:
    modality = NumberQuantile.fit(pd.Series(np.linspace(0.5, 9.5, 100)), None)
    tensor = modality.to_tensor(pd.Series([-1e9, 1e9]), None)
    np.testing.assert_allclose(modality.to_cells(tensor), [0.5, 9.5], atol=1e-6)
    np.testing.assert_allclose(modality.to_cells(torch.tensor([-50.0, 50.0])), [0.5, 9.5], atol=1e-6)


@pytest.mark.parametrize("constant", [0.0, 4.0, 2.5, -1e12, 1e-9])
def test_a_constant_stays_the_constant(constant: float) -> None:
    assert there_and_back(pd.Series([constant] * 12)) == pytest.approx([constant] * 12)


def test_a_single_number_comes_back() -> None:
    assert there_and_back(pd.Series([3.25])) == [3.25]


def test_few_whole_numbers_are_rejected_as_categories() -> None:
    with pytest.raises(RejectColumn, match="categories"):
        NumberQuantile.detect(pd.Series([0, 1, 2] * 20), None)


def test_booleans_are_rejected() -> None:
    with pytest.raises(RejectColumn):
        NumberQuantile.detect(pd.Series([True, False] * 20), None)


def test_one_spoilt_cell_does_not_make_a_text() -> None:
    cells = pd.Series([*RNG.normal(size=30), "oops"], dtype=object)
    assert NumberQuantile.detect(cells, None)
