"""Encoder and decoder of token sequences; token 0 ends a sequence and pads it."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

_END = 0


class TokenEncoder(nn.Module):
    """Tokens (B, T) to features (B, F): two convolutions of three words, then max and mean pooling.

    Args:
        vocabulary: number of tokens, including the end and the unknown token.
        features: F.
        channels: size of a word embedding.
    """

    def __init__(self, vocabulary: int, features: int, channels: int = 64) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, channels)
        self.convolutions = nn.ModuleList(nn.Linear(3 * channels, channels) for _ in range(2))
        self.head = nn.Sequential(nn.Linear(2 * channels, features), nn.GELU())

    def forward(self, tokens: Tensor) -> Tensor:
        mask = (tokens != _END)[:, :, None].float()
        words = self.embedding(tokens) * mask
        for layer in self.convolutions:
            padded = functional.pad(words, (0, 0, 1, 1))
            words = functional.gelu(layer(torch.cat([padded[:, :-2], words, padded[:, 2:]], dim=2)))
        words = words * mask
        count = mask.sum(1).clamp_min(1.0)
        return self.head(torch.cat([words.amax(1), words.sum(1) / count], dim=1))


class TokenDecoder(nn.Module):
    """Next-token logits from a context and the tokens before, by a gated recurrent unit.

    Args:
        context: size of the context.
        vocabulary: number of tokens, including the end and the unknown token.
        channels: size of a word embedding.
        hidden: size of the recurrent state.
    """

    def __init__(self, context: int, vocabulary: int, channels: int = 64, hidden: int = 128) -> None:
        super().__init__()
        # The last embedding is that of the start token.
        self.embedding = nn.Embedding(vocabulary + 1, channels)
        self.start_token = vocabulary
        self.context_proj = nn.Sequential(nn.Linear(context, hidden), nn.GELU())
        self.recurrent = nn.GRU(channels + hidden, hidden, batch_first=True)
        self.logits = nn.Linear(2 * hidden, vocabulary)

    def scores(self, context: Tensor, tokens: Tensor) -> Tensor:
        """Logits (B, T, V) of tokens 0..T-1, each given the context (B, C) and the tokens before it."""
        previous = functional.pad(tokens[:, :-1].long(), (1, 0), value=self.start_token)
        return self._decode(self.embedding(previous), self.context_proj(context), None)[0]

    def start(self, context: Tensor) -> tuple[Tensor, Tensor | None]:
        """Initial decoding state: the projected context and an empty recurrent state."""
        return self.context_proj(context), None

    def step(
        self, state: tuple[Tensor, Tensor | None], token: Tensor | None
    ) -> tuple[Tensor, tuple[Tensor, Tensor | None]]:
        """Logits (B, V) of the token after `token` (B,), None before the first; and the new state."""
        context, hidden = state
        if token is None:
            token = torch.full((len(context),), self.start_token, device=context.device)
        logits, hidden = self._decode(self.embedding(token[:, None]), context, hidden)
        return logits[:, 0], (context, hidden)

    def _decode(self, words: Tensor, context: Tensor, hidden: Tensor | None) -> tuple[Tensor, Tensor]:
        repeated = context[:, None].expand(-1, words.shape[1], -1)
        states, hidden = self.recurrent(torch.cat([words, repeated], dim=2), hidden)
        return self.logits(torch.cat([states, repeated], dim=2)), hidden
