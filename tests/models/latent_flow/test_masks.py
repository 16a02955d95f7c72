"""Random masks of given cells."""

from __future__ import annotations

import torch
from torch import Tensor

from amodal.distributions import RowNoise
from amodal.models.latent_flow.masks import given_masks

ROWS, COLUMNS = 4_000, 4


def present() -> Tensor:
    cells = torch.rand(ROWS, COLUMNS, generator=torch.Generator().manual_seed(0)) < 0.8
    cells[:, 0] |= ~cells.any(1)
    return cells


def test_subsets_of_all_sizes_are_equally_likely() -> None:
    cells = present()
    given = given_masks(cells, RowNoise(0, torch.arange(ROWS)), 2, 0, 0).given
    assert given.shape == (2, ROWS, COLUMNS)
    assert not (given & ~cells).any()
    assert not torch.equal(given[0], given[1])
    for mask in given:
        counts = mask[cells.all(1)].sum(1).bincount(minlength=COLUMNS + 1) / cells.all(1).sum()
        torch.testing.assert_close(counts, torch.full((COLUMNS + 1,), 0.2), atol=0.04, rtol=0)


def test_single_cells_are_equally_likely() -> None:
    cells = present()
    cells[:5] = False
    given = given_masks(cells, RowNoise(0, torch.arange(ROWS)), 1, 2, 0).given
    assert given.shape == (3, ROWS, COLUMNS)
    assert not (given & ~cells).any()
    for mask in given[1:]:
        assert (mask.sum(1) == cells.any(1)).all()
        single = mask[cells.all(1)].float().mean(0)
        torch.testing.assert_close(single, torch.full((COLUMNS,), 0.25), atol=0.04, rtol=0)


def test_a_rows_masks_are_the_same_in_any_batch() -> None:
    cells, rows, some = present()[:20], torch.arange(20), torch.tensor([12, 3])
    whole = given_masks(cells, RowNoise(0, rows), 1, 3, 2)
    part = given_masks(cells[some], RowNoise(0, rows[some]), 1, 3, 2)
    assert torch.equal(whole.given[:, some], part.given)
    assert torch.equal(whole.is_rest[:, some], part.is_rest)
    assert torch.equal(whole.weights, part.weights)


def test_rest_masks_hide_one_cell_each_equally_likely() -> None:
    cells = present()
    masks = given_masks(cells, RowNoise(0, torch.arange(ROWS)), 1, 1, 2)
    assert masks.given.shape == (4, ROWS, COLUMNS)
    # In turns: a subset, a single cell, all but one, and once more all but one.
    for mask in masks.given[2:]:
        hidden = cells & ~mask
        assert (hidden.sum(1) == 1).all()
        assert not (mask & ~cells).any()
        single = hidden[cells.all(1)].float().mean(0)
        torch.testing.assert_close(single, torch.full((COLUMNS,), 0.25), atol=0.04, rtol=0)


def test_is_rest_is_true_where_all_present_cells_but_one_are_given() -> None:
    cells = torch.tensor([[1, 1, 1], [1, 1, 0], [0, 1, 0], [0, 0, 0]]).bool()
    masks = given_masks(cells, RowNoise(0, torch.arange(4)), 3, 2, 1)
    for mask, is_rest in zip(masks.given, masks.is_rest, strict=True):
        for row in range(4):
            assert is_rest[row] == (int((cells[row] & ~mask[row]).sum()) == 1 and bool(cells[row].any()))
    # Of two cells all but one is a single one.
    assert masks.is_rest[:, 1][3:].all()
    assert not masks.is_rest[:, 3].any()


def test_each_kind_of_mask_has_a_weight_of_its_own() -> None:
    rows = torch.arange(5)
    weights = given_masks(torch.ones(5, 3, dtype=torch.bool), RowNoise(0, rows), 2, 3, 2).weights
    torch.testing.assert_close(weights, torch.tensor([1.0, 1.0, 1 / 3, 1.5, 1 / 3, 1.5, 1 / 3]))
    many = given_masks(torch.ones(5, 30, dtype=torch.bool), RowNoise(0, rows), 1, 0, 1).weights
    torch.testing.assert_close(many, torch.tensor([2.0, 4.0]))
