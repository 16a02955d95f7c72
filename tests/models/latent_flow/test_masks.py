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
    given = given_masks(cells, RowNoise(0, torch.arange(ROWS)), 2, 0)
    assert given.shape == (2, ROWS, COLUMNS)
    assert not (given & ~cells).any()
    assert not torch.equal(given[0], given[1])
    for mask in given:
        counts = mask[cells.all(1)].sum(1).bincount(minlength=COLUMNS + 1) / cells.all(1).sum()
        torch.testing.assert_close(counts, torch.full((COLUMNS + 1,), 0.2), atol=0.04, rtol=0)


def test_single_cells_are_equally_likely() -> None:
    cells = present()
    cells[:5] = False
    given = given_masks(cells, RowNoise(0, torch.arange(ROWS)), 1, 2)
    assert given.shape == (3, ROWS, COLUMNS)
    assert not (given & ~cells).any()
    for mask in given[1:]:
        assert (mask.sum(1) == cells.any(1)).all()
        single = mask[cells.all(1)].float().mean(0)
        torch.testing.assert_close(single, torch.full((COLUMNS,), 0.25), atol=0.04, rtol=0)


def test_a_rows_masks_are_the_same_in_any_batch() -> None:
    cells, rows, some = present()[:20], torch.arange(20), torch.tensor([12, 3])
    whole = given_masks(cells, RowNoise(0, rows), 1, 3)
    assert torch.equal(whole[:, some], given_masks(cells[some], RowNoise(0, rows[some]), 1, 3))
