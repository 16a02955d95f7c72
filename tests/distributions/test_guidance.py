"""Words between what they are with nothing given and with something given, and beyond."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from amodal.distributions import RowNoise, TokenSequence, guided_tokens
from amodal.nn import TokenDecoder

LENGTH = 3
VALUES = torch.tensor([[2, 3, 2], [3, 1, 0], [2, 0, 0]])


@pytest.fixture
def two(network: TokenDecoder) -> tuple[TokenSequence, TokenSequence]:
    """Sequences given something, and given nothing."""
    given, nothing = torch.randn(2, len(VALUES), 5, generator=torch.Generator().manual_seed(1))
    return TokenSequence(network, given, LENGTH), TokenSequence(network, nothing, LENGTH)


def probabilities(of: TokenSequence) -> Tensor:
    """Of each token, (rows, LENGTH, words)."""
    return of.network.scores(of.context, VALUES).softmax(-1)


def normalised(odds: Tensor) -> Tensor:
    return odds / odds.sum(-1, keepdim=True)


@pytest.mark.parametrize("guidance", [0.0, 0.5, 1.0])
def test_odds_go_from_nothing_given_to_what_is_given(
    two: tuple[TokenSequence, TokenSequence], guidance: float
) -> None:
    given, nothing = (probabilities(sequence) for sequence in two)
    expected = normalised(given**guidance * nothing ** (1 - guidance))
    torch.testing.assert_close(probabilities(guided_tokens(*two, guidance)), expected)


@pytest.mark.parametrize("guidance", [1.5, 4.0])
def test_beyond_only_words_that_become_less_likely_are_lowered(
    two: tuple[TokenSequence, TokenSequence], guidance: float
) -> None:
    given, nothing = (probabilities(sequence) for sequence in two)
    expected = normalised(given * (given / nothing).clamp_max(1.0) ** (guidance - 1))
    found = probabilities(guided_tokens(*two, guidance))
    torch.testing.assert_close(found, expected)
    # Two words that the given makes likelier keep their odds, however likely each is.
    likelier = given > nothing
    ratio = found / given
    for row, place in likelier.nonzero()[:, :2].unique(dim=0):
        kept = ratio[row, place][likelier[row, place]]
        torch.testing.assert_close(kept, kept[:1].expand_as(kept))


def test_at_its_ends_it_is_what_it_goes_between(two: tuple[TokenSequence, TokenSequence]) -> None:
    given, nothing = two
    for guidance, end in ((0.0, nothing), (1.0, given)):
        torch.testing.assert_close(
            guided_tokens(given, nothing, guidance).log_prob(VALUES), end.log_prob(VALUES)
        )
    # Where what is given makes no difference, no guidance does.
    same = guided_tokens(given, given, 5.0)
    noise = [RowNoise(0, torch.arange(len(VALUES))) for _ in range(2)]
    assert torch.equal(same.draw(noise[0]), given.draw(noise[1]))


def test_steps_agree_with_the_scores_of_whole_sequences(two: tuple[TokenSequence, TokenSequence]) -> None:
    sequence = guided_tokens(*two, 2.0)
    whole = sequence.network.scores(sequence.context, VALUES)
    state, token = sequence.network.start(sequence.context), None
    for position in range(LENGTH):
        logits, state = sequence.network.step(state, token)
        torch.testing.assert_close(logits, whole[:, position])
        token = VALUES[:, position]
