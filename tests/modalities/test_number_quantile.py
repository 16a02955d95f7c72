from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

from amodal.errors import BadCells, RejectColumn
from amodal.modalities import NumberQuantile

RNG = np.random.default_rng(0)


def round_trip(cells: pd.Series) -> list:
    modality = NumberQuantile.fit(cells, None)
    return list(modality.to_cells(modality.scale(modality.to_tensor(cells, None))))


def test_whole_numbers_stay_whole() -> None:
    cells = pd.Series(RNG.permutation(200))
    back = round_trip(cells)
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
    assert round_trip(cells) == cells.tolist()


def test_tiny_numbers_keep_their_digits() -> None:
    cells = pd.Series(RNG.uniform(1, 9, 100) * 1e-9)
    np.testing.assert_allclose(round_trip(cells), cells, rtol=1e-4)


def test_text_of_numbers_is_read() -> None:
    cells = pd.Series(["1.5", "2.25", "-3", "1e3"] * 10)
    assert NumberQuantile.detect(pd.Series([f"{value:.3f}" for value in RNG.normal(size=50)]), None)
    modality = NumberQuantile.fit(cells, None)
    assert modality.parse(cells).tolist() == [1.5, 2.25, -3.0, 1000.0] * 10
    assert modality.parse_text(round_trip(cells)) == [1.5, 2.25, -3, 1000] * 10


@pytest.mark.parametrize("bad", [np.inf, -np.inf, np.nan, "seven", None])
def test_a_cell_without_a_finite_number_is_bad(bad: object) -> None:
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
    assert round_trip(pd.Series([constant] * 12)) == pytest.approx([constant] * 12)


def test_a_single_number_comes_back() -> None:
    assert round_trip(pd.Series([3.25])) == [3.25]


def test_few_whole_numbers_are_rejected_as_categories() -> None:
    with pytest.raises(RejectColumn, match="categories"):
        NumberQuantile.detect(pd.Series([0, 1, 2] * 20), None)


def test_booleans_are_rejected() -> None:
    with pytest.raises(RejectColumn):
        NumberQuantile.detect(pd.Series([True, False] * 20), None)


def test_one_spoilt_cell_does_not_make_a_text() -> None:
    cells = pd.Series([*RNG.normal(size=30), "oops"], dtype=object)
    assert NumberQuantile.detect(cells, None)


def bins_of(modality: NumberQuantile, values: np.ndarray) -> np.ndarray:
    """The bin of each number, -1 in none."""
    ranks = torch.special.ndtr(modality.to_tensor(pd.Series(values), None).double()).numpy()
    found = np.full(len(values), -1)
    for index, (low, high) in enumerate(zip(modality.lower, modality.upper, strict=True)):
        found[(ranks >= low - 1e-6) & (ranks <= high + 1e-6)] = index
    return found


@pytest.mark.parametrize("rows", [20, 100, 3_000])
def test_bins_rise_and_hold_all_numbers(rows: int) -> None:
    for values in (
        RNG.normal(size=rows),
        RNG.lognormal(0, 2, rows),
        RNG.standard_cauchy(rows),
        RNG.integers(0, 40, rows) / 2,
        np.where(RNG.random(rows) < 0.4, 0.0, RNG.exponential(size=rows)),
    ):
        modality = NumberQuantile.fit(pd.Series(values), None)
        lower, upper = np.array(modality.lower), np.array(modality.upper)
        assert 1 <= len(lower) == len(upper) <= 200
        assert (lower <= upper).all()
        assert (upper[:-1] <= lower[1:] + 1e-6).all()
        assert lower.min() >= -1e-6
        assert upper.max() <= 1 + 1e-6
        found = bins_of(modality, values)
        assert (found >= 0).all()
        assert (np.bincount(found, minlength=len(lower)) > 0).all(), "no bin is empty"


def test_a_frequent_value_has_a_bin_of_its_own_and_is_drawn_exactly() -> None:
    values = np.where(RNG.random(2_000) < 0.3, 1.25, RNG.normal(0, 5, 2_000).round(2))
    modality = NumberQuantile.fit(pd.Series(values), None)
    alone = [low for low, high in zip(modality.lower, modality.upper, strict=True) if low == high]
    assert len(alone) == 1
    assert modality.to_cells(torch.special.ndtri(torch.tensor(alone, dtype=torch.float64)).float()) == [1.25]
    found = bins_of(modality, values)
    counts = np.bincount(found)
    single = modality.lower.index(alone[0])
    assert counts[single] == (values == 1.25).sum()
    assert np.delete(counts, single).max() < 0.1 * len(values)
    head = modality.head(4)
    head.fit_marginal(modality.to_tensor(pd.Series(values), None))
    drawn = np.array(modality.to_cells(head(torch.randn(4_000, 4)).sample()))
    assert (drawn == 1.25).mean() == pytest.approx(counts[single] / len(values), abs=0.04)


def test_a_column_of_few_values_has_a_bin_for_each() -> None:
    values = RNG.choice([0.0, 0.5, 2.0, 9.5], 300)
    modality = NumberQuantile.fit(pd.Series(values), None)
    assert modality.lower == modality.upper
    assert len(modality.lower) == 4
    head = modality.head(4)
    assert {*modality.to_cells(head(torch.randn(500, 4)).sample())} == {0.0, 0.5, 2.0, 9.5}


def test_bins_that_are_given_are_kept() -> None:
    modality = NumberQuantile.fit(pd.Series(RNG.normal(size=50)), None, lower=(0.0, 0.5), upper=(0.5, 1.0))
    assert (modality.lower, modality.upper) == ((0.0, 0.5), (0.5, 1.0))


def test_linear_features_are_the_quantile_and_shares_of_bins_below() -> None:
    modality = NumberQuantile((0.0, 1.0), decimals=2)
    ranks = torch.tensor([0.0, 0.04, 0.55, 1.0])
    features = modality.linear_features(torch.special.ndtri(ranks))
    assert features.shape == (4, 11)
    torch.testing.assert_close(features[:, 0], torch.special.ndtri(ranks).clamp(-3, 3))
    # The rank is a tenth of their sum.
    torch.testing.assert_close(features[:, 1:].sum(1), 10 * ranks)
    assert (features[2, 1:6] == 1).all()
    assert (features[2, 7:] == 0).all()
