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
"""Token of anything outside the vocabulary."""
WINDOW = 24
"""Tokens of a sequence that a training step scores under a mask."""


class NextToken(Protocol):
    """Network that predicts each token from a context and the tokens before it."""

    def scores(self, context: Tensor, tokens: Tensor) -> Tensor:
        """Logits (B, T, V) of tokens 0..T-1, each given the context (B, C) and the tokens before it."""
        ...

    def window_scores(self, context: Tensor, tokens: Tensor, start: Tensor, size: int) -> Tensor:
        """Logits (B, K, V) of tokens start..start+K-1 of each row; arbitrary at positions outside 0..T-1.

        Args:
            context: (B, C).
            tokens: (B, T).
            start: integer (B,), first position of each row's window; may be negative.
            size: K.
        """
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
        value = _trim_padding(value)
        rest = value.shape[1] - 1
        if not rest:
            return self._first_log_prob(value)
        start = torch.ones(len(value), dtype=torch.int64, device=value.device)
        return self._first_log_prob(value) + self._window_log_prob(value, _scored(value), start, rest)

    def estimate_log_prob(self, value: Tensor, chance: Tensor, size: int = WINDOW) -> Tensor:
        """Unbiased estimate (B,) of `log_prob` from the first token and one window of consecutive others, for training.

        A window begins at any of the positions at which it covers a token, each equally likely, so that every token
        has the same chance of being scored. Sequences that fit into a window are scored exactly.

        Args:
            value: sequences (B, length).
            chance: uniform numbers (B,) in (0, 1) that choose the windows.
            size: tokens of a window, K.
        """
        value = _trim_padding(value)
        if value.shape[1] <= size + 1:
            return self.log_prob(value)
        scored = _scored(value)
        count = scored.sum(1) - 1
        starts = count + size - 1
        start = torch.minimum((chance * starts).long(), starts - 1) - (size - 2)
        start = torch.where(count <= size, 1, start)
        weight = torch.where(count <= size, 1.0, starts / size)
        return self._first_log_prob(value) + weight * self._window_log_prob(value, scored, start, size)

    def _first_log_prob(self, value: Tensor) -> Tensor:
        """Log probability (B,) of the first tokens."""
        logits, _ = self.network.step(self.network.start(self.context), None)
        return -functional.cross_entropy(_without_end(logits), value[:, 0].long(), reduction="none")

    def _window_log_prob(self, value: Tensor, scored: Tensor, start: Tensor, size: int) -> Tensor:
        """Sum (B,) of the log probabilities of the tokens in windows of K tokens, the first token apart."""
        positions = start[:, None] + torch.arange(size, device=value.device)
        inside = positions.clamp(1, value.shape[1] - 1)
        logits = self.network.window_scores(self.context, value, start, size)
        targets = value.gather(1, inside).flatten().long()
        losses = functional.cross_entropy(logits.flatten(0, 1), targets, reduction="none").view_as(positions)
        return -torch.where(scored.gather(1, inside) & (positions == inside), losses, 0.0).sum(1)

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
        rows, length = len(self.context), self.event_shape[0]
        tokens = torch.full((rows, length), END, device=self.context.device)
        chance = None if noise is None else noise.uniform(length)
        state, token = self.network.start(self.context), None
        ended = torch.zeros(rows, dtype=torch.bool, device=self.context.device)
        for position in range(length):
            logits, state = self.network.step(state, token)
            logits[:, UNKNOWN] = -torch.inf
            logits = _without_end(logits) if position == 0 else logits
            token = logits.argmax(1) if chance is None else _choose(logits, chance[:, position])
            token = token.masked_fill(ended, END)
            tokens[:, position] = token
            ended = ended | (token == END)
            if ended.all():
                break
        return tokens


def _trim_padding(value: Tensor) -> Tensor:
    """Sequences (B, T) up to the longest one's END; on a graphics card as they are, which it would wait for."""
    return (
        value[:, : int(_scored(value).sum(1).max())] if value.device.type == "cpu" and len(value) else value
    )


def _without_end(logits: Tensor) -> Tensor:
    """Logits (..., V) of a first token, which is never END: an empty cell is a missing one."""
    end = torch.arange(logits.shape[-1], device=logits.device) == END
    return logits.masked_fill(end, -torch.inf)


def _scored(value: Tensor) -> Tensor:
    """Positions (B, T) of tokens up to and including the first END."""
    ends = value == END
    return (ends.cumsum(1) - ends.long()) == 0


def _choose(logits: Tensor, chance: Tensor) -> Tensor:
    """Categorical samples (B,) of logits (B, V), by the inverse of the distribution function at chances (B,)."""
    cumulative = logits.softmax(1).cumsum(1)
    # Below the total, so that no token of probability zero is chosen.
    point = chance.clamp_max(1.0 - 2.0**-20) * cumulative[:, -1]
    return torch.searchsorted(cumulative, point[:, None], right=True)[:, 0]
