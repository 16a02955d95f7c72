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


def draws(count: int, rows: torch.Tensor = ROWS, calls: int = 1) -> torch.Tensor:
    """The last of so many stratified numbers of each draw, (draws, rows)."""
    found = []
    for draw in range(count):
        noise = RowNoise(5 + (draw << 32), rows)
        for _ in range(calls):
            number = noise.stratified()
        found.append(number)
    return torch.stack(found)


def test_stratified_numbers_are_uniform_over_rows_and_their_own_in_each_call() -> None:
    for calls in (1, 2, 30):
        numbers = draws(2, calls=calls)
        assert ((numbers > 0) & (numbers < 1)).all()
        for of_draw in numbers:
            assert stats.kstest(of_draw.numpy(), stats.uniform.cdf).pvalue > 1e-3
    one, two, same_prime = (draws(1, calls=calls)[0].double() for calls in (1, 2, 26))
    assert abs(np.corrcoef(one, two)[0, 1]) < 5 / np.sqrt(len(ROWS))
    assert abs(np.corrcoef(one, same_prime)[0, 1]) < 5 / np.sqrt(len(ROWS))


def test_a_rows_stratified_numbers_are_the_same_in_any_batch() -> None:
    some = ROWS[[700, 5]]
    assert torch.equal(draws(3)[:, some], draws(3, some))


def test_stratified_numbers_are_spread_evenly_over_the_draws_of_a_row() -> None:
    rows = ROWS[:200]
    for count in (16, 64, 256):
        for calls in (1, 7, 25):
            stratified = draws(count, rows, calls)
            independent = torch.rand(count, len(rows), generator=torch.Generator().manual_seed(0))
            spread_evenly, by_chance = (
                np.mean([stats.kstest(row, stats.uniform.cdf).statistic for row in numbers.T.numpy()])
                for numbers in (stratified, independent)
            )
            # A Kronecker sequence's discrepancy falls as log(n) / n, that of independent numbers as 1 / sqrt(n).
            assert spread_evenly < min(0.6 * by_chance, 3 * np.log(count) / count)


def test_bernoulli_is_true_with_its_probability() -> None:
    noise = RowNoise(0, ROWS)
    for probability in (0.0, 0.05, 0.4, 0.9):
        drawn = noise.bernoulli(probability, 3, 7)
        assert drawn.dtype == torch.bool
        assert drawn.shape == (len(ROWS), 3, 7)
        error = 4 * np.sqrt(probability * (1 - probability) / drawn.numel())
        assert abs(drawn.float().mean().item() - probability) <= error + 2**-16
    half = noise.bernoulli(0.5, 16).numpy().astype(np.float64)
    correlations = np.corrcoef(half.T) - np.eye(16)
    assert np.abs(correlations).max() < 5 / np.sqrt(len(ROWS))


def test_a_rows_bernoulli_numbers_are_the_same_in_any_batch_and_differ_between_calls() -> None:
    whole, part = RowNoise(3, ROWS), RowNoise(3, ROWS[[700, 5]])
    first = whole.bernoulli(0.5, 9)
    assert torch.equal(first[[700, 5]], part.bernoulli(0.5, 9))
    second = whole.bernoulli(0.5, 9)
    assert torch.equal(second[[700, 5]], part.bernoulli(0.5, 9))
    assert 0.4 < (first == second).float().mean() < 0.6
