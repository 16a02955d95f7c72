"""Classifier-free guidance of token sequences, by their odds."""

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
    """Conditional and unconditional sequences."""
    conditional, unconditional = torch.randn(2, len(VALUES), 5, generator=torch.Generator().manual_seed(1))
    return TokenSequence(network, conditional, LENGTH), TokenSequence(network, unconditional, LENGTH)


def probabilities(of: TokenSequence) -> Tensor:
    """Probabilities of each token, (rows, LENGTH, words)."""
    return of.network.scores(of.context, VALUES).softmax(-1)


def normalised(odds: Tensor) -> Tensor:
    return odds / odds.sum(-1, keepdim=True)


@pytest.mark.parametrize("guidance", [0.0, 0.5, 1.0])
def test_odds_interpolate_up_to_a_guidance_of_one(
    two: tuple[TokenSequence, TokenSequence], guidance: float
) -> None:
    conditional, unconditional = (probabilities(sequence) for sequence in two)
    expected = normalised(conditional**guidance * unconditional ** (1 - guidance))
    torch.testing.assert_close(probabilities(guided_tokens(*two, guidance)), expected)


@pytest.mark.parametrize("guidance", [1.5, 4.0])
def test_above_one_only_tokens_that_become_less_likely_are_lowered(
    two: tuple[TokenSequence, TokenSequence], guidance: float
) -> None:
    conditional, unconditional = (probabilities(sequence) for sequence in two)
    expected = normalised(conditional * (conditional / unconditional).clamp_max(1.0) ** (guidance - 1))
    found = probabilities(guided_tokens(*two, guidance))
    torch.testing.assert_close(found, expected)
    # Tokens that become more likely keep their odds to each other.
    likelier = conditional > unconditional
    ratio = found / conditional
    for row, place in likelier.nonzero()[:, :2].unique(dim=0):
        kept = ratio[row, place][likelier[row, place]]
        torch.testing.assert_close(kept, kept[:1].expand_as(kept))


def test_zero_is_unconditional_and_one_conditional(two: tuple[TokenSequence, TokenSequence]) -> None:
    conditional, unconditional = two
    for guidance, end in ((0.0, unconditional), (1.0, conditional)):
        torch.testing.assert_close(
            guided_tokens(conditional, unconditional, guidance).log_prob(VALUES), end.log_prob(VALUES)
        )
    # Equal contexts leave nothing to guide.
    same = guided_tokens(conditional, conditional, 5.0)
    noise = [RowNoise(0, torch.arange(len(VALUES))) for _ in range(2)]
    assert torch.equal(same.draw(noise[0]), conditional.draw(noise[1]))


def test_steps_agree_with_the_scores_of_full_sequences(two: tuple[TokenSequence, TokenSequence]) -> None:
    sequence = guided_tokens(*two, 2.0)
    whole = sequence.network.scores(sequence.context, VALUES)
    state, token = sequence.network.start(sequence.context), None
    for position in range(LENGTH):
        logits, state = sequence.network.step(state, token)
        torch.testing.assert_close(logits, whole[:, position])
        token = VALUES[:, position]
