from __future__ import annotations

from itertools import pairwise, product

import pytest
import torch
from torch import Tensor

from amodal.distributions import RowNoise, TokenSequence
from amodal.distributions.sequence import END, UNKNOWN
from amodal.nn import TokenDecoder

VOCABULARY, LENGTH = 4, 3


def every_sequence() -> Tensor:
    """All values: tokens, padded with END."""
    tokens = [
        tokens
        for tokens in product(range(VOCABULARY), repeat=LENGTH)
        if tokens[0] != END and all(b == END for a, b in pairwise(tokens) if a == END)
    ]
    return torch.tensor(tokens)


def test_probabilities_sum_to_one(network: TokenDecoder) -> None:
    values = every_sequence()
    context = torch.randn(1, 5).expand(len(values), -1)
    total = TokenSequence(network, context, LENGTH).log_prob(values).exp().sum()
    assert total.item() == pytest.approx(1.0, abs=1e-5)


def test_frequencies_of_samples_are_their_probabilities(network: TokenDecoder) -> None:
    count = 20_000
    context = torch.randn(1, 5).expand(count, -1)
    drawn = TokenSequence(network, context, LENGTH).draw(RowNoise(0, torch.arange(count)))
    assert not (drawn == UNKNOWN).any()
    values = every_sequence()
    probability = TokenSequence(network, context[: len(values)], LENGTH).log_prob(values).exp()
    # The unknown token is never written, and its probability goes to the others.
    written = ~(values == UNKNOWN).any(1)
    starts = {int(token): written & (values[:, 0] == token) for token in values[written, 0].unique()}
    for chosen in starts.values():
        assert probability[chosen].sum() > 0
    frequency = torch.stack([(drawn == value).all(1).float().mean() for value in values[written]])
    assert frequency.sum().item() == pytest.approx(1.0, abs=1e-6)
    assert torch.corrcoef(torch.stack([frequency, probability[written]]))[0, 1] > 0.9


def test_steps_agree_with_the_scores_of_full_sequences(network: TokenDecoder) -> None:
    context, values = torch.randn(2, 5), torch.tensor([[2, 3, 2], [3, 3, 0]])
    whole = network.scores(context, values)
    state, token = network.start(context), None
    for position in range(LENGTH):
        logits, state = network.step(state, token)
        torch.testing.assert_close(logits, whole[:, position])
        token = values[:, position]


def test_the_mode_is_greedy_and_sampling_takes_no_shape(network: TokenDecoder) -> None:
    sequence = TokenSequence(network, torch.randn(3, 5), LENGTH)
    assert torch.equal(sequence.mode, sequence.mode)
    assert sequence.sample().shape == (3, LENGTH)
    with pytest.raises(NotImplementedError, match="sample_shape"):
        sequence.sample((2,))
