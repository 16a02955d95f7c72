"""Words between what they are with nothing given and with something given, and beyond."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from amodal.distributions import RowNoise, TokenSequence, guided
from amodal.nn import TokenDecoder

VOCABULARY, LENGTH = 4, 3
VALUES = torch.tensor([[2, 3, 2], [3, 1, 0], [2, 0, 0]])


@pytest.fixture
def network() -> TokenDecoder:
    torch.manual_seed(0)
    network = TokenDecoder(5, VOCABULARY, channels=6, hidden=7)
    torch.nn.init.normal_(network.logits.weight)
    return network.requires_grad_(False)


@pytest.fixture
def two(network: TokenDecoder) -> tuple[TokenSequence, TokenSequence]:
    """Sequences given something, and given nothing."""
    given, nothing = torch.randn(2, len(VALUES), 5, generator=torch.Generator().manual_seed(1))
    return TokenSequence(network, given, LENGTH), TokenSequence(network, nothing, LENGTH)


def odds(of: TokenSequence) -> Tensor:
    """Of each token against token 3, in logarithms."""
    scores = of.network.scores(of.context, VALUES)
    return scores - scores[..., 3:]


@pytest.mark.parametrize("guidance", [0.0, 0.5, 1.0, 3.0])
def test_odds_are_those_with_nothing_given_times_a_power_of_what_is_given(
    two: tuple[TokenSequence, TokenSequence], guidance: float
) -> None:
    given, nothing = two
    expected = (1 - guidance) * odds(nothing) + guidance * odds(given)
    torch.testing.assert_close(odds(guided(given, nothing, guidance)), expected, atol=1e-5, rtol=1e-5)


def test_at_its_ends_it_is_what_it_goes_between(two: tuple[TokenSequence, TokenSequence]) -> None:
    given, nothing = two
    for guidance, end in ((0.0, nothing), (1.0, given)):
        torch.testing.assert_close(guided(given, nothing, guidance).log_prob(VALUES), end.log_prob(VALUES))
    # Where what is given makes no difference, no guidance does.
    same = guided(given, given, 5.0)
    noise = [RowNoise(0, torch.arange(len(VALUES))) for _ in range(2)]
    assert torch.equal(same.draw(noise[0]), given.draw(noise[1]))


def test_steps_agree_with_the_scores_of_whole_sequences(two: tuple[TokenSequence, TokenSequence]) -> None:
    sequence = guided(*two, 2.0)
    whole = sequence.network.scores(sequence.context, VALUES)
    state, token = sequence.network.start(sequence.context), None
    for position in range(LENGTH):
        logits, state = sequence.network.step(state, token)
        torch.testing.assert_close(logits, whole[:, position])
        token = VALUES[:, position]
