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


def test_estimates_of_windows_have_the_exact_mean() -> None:
    torch.manual_seed(0)
    network = TokenDecoder(5, 6, channels=8).eval().requires_grad_(False)
    value = torch.randint(1, 6, (3, 40))
    value[0, 25:], value[1, 3:] = END, END
    context = torch.randn(3, 5)
    exact = TokenSequence(network, context, 40).log_prob(value)
    # Every window of eight: 25 + 7 and 39 + 7 first positions; a short text is scored exactly.
    for row, count in ((0, 25 + 7), (2, 39 + 7)):
        chance = (torch.arange(count) + 0.5) / count
        sequence = TokenSequence(network, context[[row]].expand(count, -1), 40)
        estimates = sequence.estimate_log_prob(value[[row]].expand(count, -1), chance, size=8)
        assert estimates.std() > 0
        torch.testing.assert_close(estimates.mean(), exact[row])
    short = TokenSequence(network, context, 40).estimate_log_prob(value, torch.rand(3), size=8)[1]
    torch.testing.assert_close(short, exact[1])


def test_drawing_stops_when_all_have_ended_and_rows_draw_alone_what_they_draw_together(
    network: TokenDecoder,
) -> None:
    context = torch.randn(50, 5)
    noise = RowNoise(3, torch.arange(50))
    together, after = TokenSequence(network, context, 30).draw(noise), noise.uniform()
    for row in (4, 17):
        alone = RowNoise(3, torch.tensor([row]))
        assert torch.equal(TokenSequence(network, context[[row]], 30).draw(alone)[0], together[row])
        assert torch.equal(alone.uniform()[0], after[row])
