"""Classifier-free guidance of flows and of token sequences."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from amodal.distributions.flow import Velocity
from amodal.distributions.sequence import NextToken, TokenSequence


def guided_velocity(conditional: Velocity, unconditional: Velocity, guidance: float) -> Velocity:
    """v(x, t) = v(x, t, null) + w (v(x, t, c) - v(x, t, null)) (Ho & Salimans, arXiv 2207.12598).

    Args:
        conditional: v(x, t, c).
        unconditional: v(x, t, null).
        guidance: w; 1 is the conditional velocity alone.
    """
    if guidance == 1.0:
        return conditional
    return lambda x, t: torch.lerp(unconditional(x, t), conditional(x, t), guidance)


def guided_tokens(conditional: TokenSequence, unconditional: TokenSequence, guidance: float) -> TokenSequence:
    """Token sequences under classifier-free guidance of strength w.

    For w <= 1 a token's odds are p(token | c)^w p(token)^(1 - w) (Sanchez et al., arXiv 2306.17806). For w > 1 they
    are p(token | c) min(1, p(token | c) / p(token))^(w - 1): tokens that the context makes less likely become less
    likely still, and none is raised, since that would write tokens that are next to impossible either way.

    Args:
        conditional: sequences of B rows, given their contexts.
        unconditional: sequences of the same rows and network, given the null context.
        guidance: w >= 0; 0 is unconditional, 1 conditional.
    """
    network = _GuidedTokens(conditional.network, guidance)
    contexts = torch.cat([conditional.context, unconditional.context], dim=1)
    return TokenSequence(network, contexts, conditional.event_shape[0])


class _GuidedTokens(NextToken):
    """A network of two concatenated contexts (B, 2 C), the conditional and the null one.

    Args:
        network: network of one context.
        guidance: w.
    """

    def __init__(self, network: NextToken, guidance: float) -> None:
        self.network = network
        self.guidance = guidance

    def scores(self, context: Tensor, tokens: Tensor) -> Tensor:
        return self._guide(*(self.network.scores(part, tokens) for part in context.chunk(2, dim=1)))

    def window_scores(self, context: Tensor, tokens: Tensor, start: Tensor, size: int) -> Tensor:
        parts = context.chunk(2, dim=1)
        return self._guide(*(self.network.window_scores(part, tokens, start, size) for part in parts))

    def start(self, context: Tensor) -> tuple[Any, ...]:
        return tuple(self.network.start(part) for part in context.chunk(2, dim=1))

    def step(self, state: tuple[Any, ...], token: Tensor | None) -> tuple[Tensor, tuple[Any, ...]]:
        logits, states = zip(*(self.network.step(part, token) for part in state), strict=True)
        return self._guide(*logits), states

    def _guide(self, conditional: Tensor, unconditional: Tensor) -> Tensor:
        if self.guidance <= 1.0:
            return torch.lerp(unconditional, conditional, self.guidance)
        gain = conditional.log_softmax(-1) - unconditional.log_softmax(-1)
        return conditional + (self.guidance - 1.0) * gain.clamp_max(0.0)
