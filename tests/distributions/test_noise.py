from __future__ import annotations

import numpy as np
import torch
from scipy import stats

from amodal.distributions import RowNoise

ROWS = torch.arange(2_000)


def test_a_row_has_the_same_numbers_in_any_batch() -> None:
    whole, part = RowNoise(3, ROWS), RowNoise(3, ROWS[[700, 5]])
    for shape in ((4,), (2, 3), ()):
        assert torch.equal(whole.uniform(*shape)[[700, 5]], part.uniform(*shape))
        assert torch.equal(whole.normal(*shape)[[700, 5]], part.normal(*shape))
        assert torch.equal(whole.gumbel(*shape)[[700, 5]], part.gumbel(*shape))


def test_calls_seeds_and_rows_differ() -> None:
    noise = RowNoise(0, ROWS)
    first, second, other = noise.uniform(4), noise.uniform(4), RowNoise(1, ROWS).uniform(4)
    assert not torch.isclose(first, second).all(1).any()
    assert not torch.isclose(first, other).all(1).any()
    assert len(torch.unique(first)) > 0.99 * first.numel()


def test_numbers_follow_their_distributions() -> None:
    noise = RowNoise(7, ROWS)
    for numbers, distribution in (
        (noise.uniform(5), stats.uniform),
        (noise.normal(5), stats.norm),
        (noise.gumbel(5), stats.gumbel_r),
    ):
        assert stats.kstest(numbers.flatten().numpy(), distribution.cdf).pvalue > 1e-3


def test_neither_rows_nor_positions_are_correlated() -> None:
    normal = RowNoise(0, ROWS).normal(16).numpy().astype(np.float64)
    between_positions = np.corrcoef(normal.T) - np.eye(16)
    assert np.abs(between_positions).max() < 5 / np.sqrt(len(ROWS))
    neighbours = np.corrcoef(normal[:-1].ravel(), normal[1:].ravel())[0, 1]
    assert abs(neighbours) < 5 / np.sqrt(normal.size)
