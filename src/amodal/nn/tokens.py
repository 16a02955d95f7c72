"""Networks that read and write sequences of tokens, of which 0 ends and fills a sequence."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

_END = 0


class TokenEncoder(nn.Module):
    """Tokens (B, T) to features (B, F), by layers over neighbouring words, and their maximum.

    Args:
        vocabulary: number of tokens, the end and the unknown one included.
        features: F.
        channels: size of a word's vector.
    """

    def __init__(self, vocabulary: int, features: int, channels: int = 64) -> None:
        super().__init__()
        self.words = nn.Embedding(vocabulary, channels)
        self.neighbours = nn.ModuleList(nn.Linear(3 * channels, channels) for _ in range(2))
        self.head = nn.Sequential(nn.Linear(2 * channels, features), nn.GELU())

    def forward(self, tokens: Tensor) -> Tensor:
        written = (tokens != _END)[:, :, None].float()
        words = self.words(tokens) * written
        for layer in self.neighbours:
            padded = functional.pad(words, (0, 0, 1, 1))
            words = functional.gelu(layer(torch.cat([padded[:, :-2], words, padded[:, 2:]], dim=2)))
        words = words * written
        count = written.sum(1).clamp_min(1.0)
        return self.head(torch.cat([words.amax(1), words.sum(1) / count], dim=1))


class TokenDecoder(nn.Module):
    """Predicts each token of a sequence from a context and the tokens before it, by a gated recurrent unit.

    Args:
        context: size of the context.
        vocabulary: number of tokens, the end and the unknown one included.
        channels: size of a word's vector.
        hidden: size of the recurrent state.
    """

    def __init__(self, context: int, vocabulary: int, channels: int = 64, hidden: int = 128) -> None:
        super().__init__()
        # The first token is predicted from a word of its own, the last of the table.
        self.words = nn.Embedding(vocabulary + 1, channels)
        self.first = vocabulary
        self.told = nn.Sequential(nn.Linear(context, hidden), nn.GELU())
        self.recurrent = nn.GRU(channels + hidden, hidden, batch_first=True)
        self.logits = nn.Linear(2 * hidden, vocabulary)

    def scores(self, context: Tensor, tokens: Tensor) -> Tensor:
        """Logits (B, T, V) of tokens 0..T-1, each given the context (B, C) and the tokens before it."""
        before = functional.pad(tokens[:, :-1].long(), (1, 0), value=self.first)
        told = self.told(context)
        return self._read(self.words(before), told, None)[0]

    def start(self, context: Tensor) -> tuple[Tensor, Tensor | None]:
        """What is carried from token to token: the context as told, and the recurrent state."""
        return self.told(context), None

    def step(
        self, state: tuple[Tensor, Tensor | None], token: Tensor | None
    ) -> tuple[Tensor, tuple[Tensor, Tensor | None]]:
        """Logits (B, V) of the next token after `token` (B,), None before the first; and the new state."""
        told, hidden = state
        if token is None:
            token = torch.full((len(told),), self.first, device=told.device)
        logits, hidden = self._read(self.words(token[:, None]), told, hidden)
        return logits[:, 0], (told, hidden)

    def _read(self, words: Tensor, told: Tensor, hidden: Tensor | None) -> tuple[Tensor, Tensor]:
        beside = told[:, None].expand(-1, words.shape[1], -1)
        states, hidden = self.recurrent(torch.cat([words, beside], dim=2), hidden)
        return self.logits(torch.cat([states, beside], dim=2)), hidden
