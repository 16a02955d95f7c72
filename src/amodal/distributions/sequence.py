"""Autoregressive distribution of token sequences of varying length."""

from __future__ import annotations

from typing import Any, Protocol

import torch
from torch import Tensor
from torch.distributions import Distribution
from torch.nn import functional

from amodal.distributions.noise import RowNoise

END = 0
"""Token that ends a sequence and pads it."""
UNKNOWN = 1
"""Token of any word outside the vocabulary."""


class NextToken(Protocol):
    """Network that predicts each token from a context and the tokens before it."""

    def scores(self, context: Tensor, tokens: Tensor) -> Tensor:
        """Logits (B, T, V) of tokens 0..T-1, each given the context (B, C) and the tokens before it."""
        ...

    def start(self, context: Tensor) -> Any:
        """Decoding state before the first token."""
        ...

    def step(self, state: Any, token: Tensor | None) -> tuple[Tensor, Any]:
        """Logits (B, V) of the token after `token` (B,), None before the first; and the new state."""
        ...


class TokenSequence(Distribution):
    """p(tokens) = prod_t p(token_t | context, tokens before t), for sequences of one to `length` tokens.

    A value is an integer tensor (B, length): tokens, then END as padding. A sequence of `length` tokens has no END.

    Args:
        network: next-token network.
        context: (B, C), its conditioning.
        length: maximum number of tokens.
    """

    arg_constraints: dict[str, Any] = {}  # noqa: RUF012 - torch declares it so
    has_rsample = False

    def __init__(self, network: NextToken, context: Tensor, length: int) -> None:
        self.network = network
        self.context = context
        super().__init__(context.shape[:1], torch.Size([length]), validate_args=False)

    def log_prob(self, value: Tensor) -> Tensor:
        """Log probability (B,) of sequences (B, length) in nats, up to and including the first END."""
        logits = self.network.scores(self.context, value)
        logits = torch.cat([_without_end(logits[:, :1]), logits[:, 1:]], dim=1)
        losses = functional.cross_entropy(logits.flatten(0, 1), value.flatten().long(), reduction="none")
        ends = value == END
        mask = (ends.cumsum(1) - ends.long()) == 0
        return -(losses.view_as(value) * mask).sum(1)

    def draw(self, noise: RowNoise) -> Tensor:
        """One sequence a row, (B, length), without the unknown token."""
        return self._decode(noise)

    def sample(self, sample_shape: torch.Size | list[int] | tuple[int, ...] = ()) -> Tensor:
        """One sequence a row, (B, length), from torch's global generator; `sample_shape` must be empty."""
        if tuple(sample_shape):
            raise NotImplementedError(
                "TokenSequence.sample draws one sequence a row: sample_shape must be empty"
            )
        seed = int(torch.randint(2**31, ()).item())
        return self._decode(RowNoise(seed, torch.arange(len(self.context), device=self.context.device)))

    @property
    def mode(self) -> Tensor:
        """Greedy decoding: the most probable next token at each position."""
        return self._decode(None)

    @torch.no_grad()
    def _decode(self, noise: RowNoise | None) -> Tensor:
        length = self.event_shape[0]
        tokens = torch.full((len(self.context), length), END, device=self.context.device)
        state, token = self.network.start(self.context), None
        ended = torch.zeros(len(self.context), dtype=torch.bool, device=self.context.device)
        for position in range(length):
            logits, state = self.network.step(state, token)
            logits[:, UNKNOWN] = -torch.inf
            logits = _without_end(logits) if position == 0 else logits
            if noise is not None:
                logits = logits + noise.gumbel(logits.shape[1])
            token = logits.argmax(1).masked_fill(ended, END)
            tokens[:, position] = token
            ended = ended | (token == END)
        return tokens


def _without_end(logits: Tensor) -> Tensor:
    """Logits (..., V) of a first token, which is never END: an empty cell is a missing one."""
    end = torch.arange(logits.shape[-1], device=logits.device) == END
    return logits.masked_fill(end, -torch.inf)
