"""Texts led from what is likely anyway towards what is likely given something, and on."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from amodal.distributions.sequence import NextToken, TokenSequence


def guided(given: TokenSequence, nothing: TokenSequence, guidance: float) -> TokenSequence:
    """Sequences whose words are led from what is likely with nothing given (0) to the network's own (1), and on.

    Up to a guidance w of 1 each word's odds are p(word | given)^w p(word | nothing)^(1 - w), as in classifier-free
    guidance (Sanchez et al., arXiv 2306.17806). Above 1 they are p(word | given) min(1, p(word | given) /
    p(word | nothing))^(w - 1): what the given makes less likely becomes less likely still, and nothing is raised, or
    words that are next to impossible either way would be written.

    Args:
        given: of B rows, told what is given.
        nothing: of the same rows and network, told nothing.
        guidance: w, from 0 up.
    """
    network = _GuidedTokens(given.network, guidance)
    return TokenSequence(network, torch.cat([given.context, nothing.context], dim=1), given.event_shape[0])


class _GuidedTokens(NextToken):
    """A network that reads two contexts side by side, (B, 2 C): what is given, and nothing.

    Args:
        network: reads one.
        guidance: how far to go from what it says of the second to what it says of the first.
    """

    def __init__(self, network: NextToken, guidance: float) -> None:
        self.network = network
        self.guidance = guidance

    def scores(self, context: Tensor, tokens: Tensor) -> Tensor:
        given, nothing = (self.network.scores(part, tokens) for part in context.chunk(2, dim=1))
        return self._guided(given, nothing)

    def start(self, context: Tensor) -> tuple[Any, ...]:
        return tuple(self.network.start(part) for part in context.chunk(2, dim=1))

    def step(self, state: tuple[Any, ...], token: Tensor | None) -> tuple[Tensor, tuple[Any, ...]]:
        (given, of_given), (nothing, of_nothing) = (self.network.step(part, token) for part in state)
        return self._guided(given, nothing), (of_given, of_nothing)

    def _guided(self, given: Tensor, nothing: Tensor) -> Tensor:
        if self.guidance <= 1.0:
            return torch.lerp(nothing, given, self.guidance)
        gain = given.log_softmax(-1) - nothing.log_softmax(-1)
        return given + (self.guidance - 1.0) * gain.clamp_max(0.0)
