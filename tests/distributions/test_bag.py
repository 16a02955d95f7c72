from __future__ import annotations

import math
from itertools import product

import pytest
import torch
from torch.distributions import Categorical, Multinomial

from amodal.distributions import BagOfWords, RowNoise, draw


def bags(rows: int = 1) -> BagOfWords:
    torch.manual_seed(0)
    return BagOfWords(torch.randn(1, 3).expand(rows, -1), torch.randn(1, 4).expand(rows, -1))


def test_probabilities_of_all_bags_sum_to_one() -> None:
    every = torch.tensor([counts for counts in product(range(4), repeat=4) if 1 <= sum(counts) <= 3])
    assert bags(len(every)).log_prob(every.float()).exp().sum().item() == pytest.approx(1.0, abs=1e-5)


def test_log_prob_is_that_of_a_length_and_a_multinomial() -> None:
    counts = torch.tensor([[1.0, 0.0, 2.0, 0.0]])
    bag = bags()
    expected = Categorical(logits=bag.length_logits).log_prob(torch.tensor([2]))
    expected = expected + Multinomial(3, logits=bag.word_logits).log_prob(counts)
    torch.testing.assert_close(bag.log_prob(counts), expected)


def test_frequencies_of_samples_are_their_probabilities() -> None:
    rows = 40_000
    bag = bags(rows)
    drawn = draw(bag, RowNoise(0, torch.arange(rows)))
    lengths = torch.bincount(drawn.sum(1).long(), minlength=4)[1:] / rows
    torch.testing.assert_close(lengths, bag.length_logits[0].exp(), atol=0.01, rtol=0)
    words = drawn.sum(0) / drawn.sum()
    expected = bag.word_logits[0].exp() * torch.tensor([0.0, 1.0, 1.0, 1.0])
    torch.testing.assert_close(words, expected / expected.sum(), atol=0.01, rtol=0)


def test_a_rows_sample_is_the_same_in_any_batch() -> None:
    whole = draw(bags(9), RowNoise(3, torch.arange(9)))
    assert torch.equal(draw(bags(2), RowNoise(3, torch.tensor([4, 7]))), whole[[4, 7]])


def test_the_mode_is_the_most_probable_bag() -> None:
    for seed in range(20):
        torch.manual_seed(seed)
        words = torch.randn(1, 5)
        bag = BagOfWords(torch.tensor([[0.0, 0.0, 0.0, 9.0]]), words)
        every = [c for c in product(range(5), repeat=4) if sum(c) == 4]
        known = words[0, 1:].log_softmax(0)
        scores = [
            sum(n * known[k].item() - math.lgamma(n + 1) for k, n in enumerate(counts)) for counts in every
        ]
        best = every[max(range(len(every)), key=scores.__getitem__)]
        assert bag.mode[0].tolist() == [0, *best]


def test_a_bag_longer_than_the_longest_has_a_finite_log_prob() -> None:
    assert bags().log_prob(torch.tensor([[0.0, 500.0, 3.0, 0.0]])).isfinite().all()


def test_sample_draws_one_bag_a_row() -> None:
    assert bags(5).sample().sum(1).ge(1).all()
    with pytest.raises(NotImplementedError):
        bags().sample((2,))
