"""Sequences of tokens of varying length, each token drawn given those before it."""

from __future__ import annotations

from typing import Any, Protocol

import torch
from torch import Tensor
from torch.distributions import Distribution
from torch.nn import functional

from amodal.distributions.noise import RowNoise

END = 0
"""The token that ends a sequence, and fills what comes after."""
UNKNOWN = 1
"""The token that stands for any word outside the vocabulary."""


class NextToken(Protocol):
    """A network that predicts each token from those before it and a context."""

    def scores(self, context: Tensor, tokens: Tensor) -> Tensor:
        """Logits (B, T, V) of the tokens 0..T-1, each given the context (B, C) and the tokens before it."""
        ...

    def start(self, context: Tensor) -> Any:
        """The state before the first token."""
        ...

    def step(self, state: Any, token: Tensor | None) -> tuple[Tensor, Any]:
        """Logits (B, V) of the next token and the new state, after `token` (B,); None before the first."""
        ...


class TokenSequence(Distribution):
    """Sequences of one to `length` tokens, written left to right by a network.

    A value is an integer tensor (B, length): tokens, then END to the right end. A sequence that fills its
    whole length needs no END.

    Args:
        network: predicts the next token.
        context: (B, C), what the network is told of each row.
        length: most tokens a sequence holds.
    """

    arg_constraints: dict[str, Any] = {}  # noqa: RUF012 - torch declares it so
    has_rsample = False

    def __init__(self, network: NextToken, context: Tensor, length: int) -> None:
        self.network = network
        self.context = context
        super().__init__(context.shape[:1], torch.Size([length]), validate_args=False)

    def log_prob(self, value: Tensor) -> Tensor:
        """Log probability (B,) of whole sequences in nats, counted up to and with the first END."""
        logits = self.network.scores(self.context, value)
        logits = torch.cat([_begun(logits[:, :1]), logits[:, 1:]], dim=1)
        losses = functional.cross_entropy(logits.flatten(0, 1), value.flatten().long(), reduction="none")
        ended = (value == END).cumsum(1)
        counted = (ended - (value == END).long()) == 0
        return -(losses.view_as(value) * counted).sum(1)

    def draw(self, noise: RowNoise) -> Tensor:
        """Write a sequence a row; the unknown token is never written."""
        return self._write(noise)

    def sample(self, sample_shape: torch.Size | list[int] | tuple[int, ...] = ()) -> Tensor:
        """Write a sequence a row with torch's global generator; `sample_shape` must be empty."""
        if tuple(sample_shape):
            raise NotImplementedError("a TokenSequence draws one sequence a row: sample_shape must be empty")
        seed = int(torch.randint(2**31, ()).item())
        return self._write(RowNoise(seed, torch.arange(len(self.context), device=self.context.device)))

    @property
    def mode(self) -> Tensor:
        """The sequence of the most probable next tokens (greedy, hence not always the most probable one)."""
        return self._write(None)

    @torch.no_grad()
    def _write(self, noise: RowNoise | None) -> Tensor:
        length = self.event_shape[0]
        tokens = torch.full((len(self.context), length), END, device=self.context.device)
        state, token = self.network.start(self.context), None
        ended = torch.zeros(len(self.context), dtype=torch.bool, device=self.context.device)
        for position in range(length):
            logits, state = self.network.step(state, token)
            logits[:, UNKNOWN] = -torch.inf
            logits = _begun(logits) if position == 0 else logits
            if noise is not None:
                logits = logits + noise.gumbel(logits.shape[1])
            token = logits.argmax(1).masked_fill(ended, END)
            tokens[:, position] = token
            ended = ended | (token == END)
        return tokens


def _begun(logits: Tensor) -> Tensor:
    """Logits (..., V) of the first token, which is not END: an empty cell is a missing one."""
    end = torch.arange(logits.shape[-1], device=logits.device) == END
    return logits.masked_fill(end, -torch.inf)
