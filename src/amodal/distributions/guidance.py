"""Texts led from what is likely anyway towards what is likely given something, and on."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from amodal.distributions.sequence import NextToken, TokenSequence


def guided(given: TokenSequence, nothing: TokenSequence, guidance: float) -> TokenSequence:
    """Sequences of which each token's odds are p(token | given)^w p(token | nothing)^(1 - w), w being the guidance.

    Classifier-free guidance of words (Sanchez et al., arXiv 2306.17806): 0 writes as if nothing were given, 1 as the
    network believes, more keeps closer to what is given. Words on which that has no bearing keep their odds.

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
        gain = given.log_softmax(-1) - nothing.log_softmax(-1)
        return given + (self.guidance - 1.0) * (gain.clamp_max(0.0) if self.guidance > 1.0 else gain)
