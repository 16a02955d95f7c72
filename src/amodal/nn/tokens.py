"""Encoder and decoder of token sequences; token 0 ends a sequence and pads it, 1 is unknown."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

_END, _UNKNOWN = 0, 1
_PRIME = 2**31 - 1


class TokenEncoder(nn.Module):
    """Tokens (B, T) to features (B, F) by two paths, one for their order and one for which they are.

    The first is two convolutions of three tokens, then max and mean pooling. The second sums embeddings of tokens and
    of pairs of neighbours, weighted to a norm of one, as a linear model of tf-idf features does; pairs share embeddings
    by hashing (Weinberger et al., arXiv 0902.2206).

    Args:
        weights: weight (V,) of each token in the sum, as its inverse document frequency.
        features: F.
        channels: size of an embedding.
        buckets: number of embeddings of pairs.
    """

    token_weights: Tensor

    def __init__(self, weights: Tensor, features: int, channels: int = 64, buckets: int = 4096) -> None:
        super().__init__()
        self.register_buffer("token_weights", weights.float(), persistent=False)
        self.embedding = nn.Embedding(len(weights), channels)
        self.convolutions = nn.ModuleList(nn.Linear(3 * channels, channels) for _ in range(2))
        self.tokens = nn.Parameter(0.3 * torch.randn(len(weights), channels))
        self.pairs = nn.Parameter(torch.zeros(buckets, channels))
        self.head = nn.Sequential(nn.Linear(3 * channels, features), nn.GELU())

    def forward(self, tokens: Tensor) -> Tensor:
        tokens = _trim_padding(tokens.long())
        return self.head(torch.cat([*self._ordered(tokens), self._bag(tokens)], dim=1))

    def _ordered(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Maxima and means (B, C) of the convolutions' outputs."""
        mask = (tokens != _END)[:, :, None].float()
        words = self.embedding(tokens) * mask
        for layer in self.convolutions:
            padded = functional.pad(words, (0, 0, 1, 1))
            words = functional.gelu(layer(torch.cat([padded[:, :-2], words, padded[:, 2:]], dim=2)))
        words = words * mask
        return words.amax(1), words.sum(1) / mask.sum(1).clamp_min(1.0)

    def _bag(self, tokens: Tensor) -> Tensor:
        """Weighted sums (B, C) of the embeddings of tokens and of pairs; the unknown token counts for neither."""
        known = tokens > _UNKNOWN
        weights = functional.normalize(self.token_weights[tokens] * known)
        bag = functional.embedding_bag(tokens, self.tokens, per_sample_weights=weights, mode="sum")
        hashed = (tokens[:, :-1] * 1_000_003 + tokens[:, 1:] * 10_007) % _PRIME % len(self.pairs)
        weights = functional.normalize((known[:, :-1] & known[:, 1:]).float())
        return bag + functional.embedding_bag(hashed, self.pairs, per_sample_weights=weights, mode="sum")


class TokenDecoder(nn.Module):
    """Next-token logits from a context and the tokens before, by causal convolutions and a running mean.

    Convolutions of dilations 1, 3 and 9 (van den Oord et al., arXiv 1609.03499) read the last 27 tokens, and a mean of
    embeddings reads all tokens before, so that a window of a long text is scored without what lies outside it. The
    embedding of tokens is the weight of the output layer too (Press & Wolf, arXiv 1608.05859).

    Args:
        context: C.
        vocabulary: V, the number of tokens, including the end and the unknown token.
        channels: size of a token's embedding.
        dropout: of the last layer and of the embeddings that are read.
    """

    dilations = (1, 3, 9)

    def __init__(self, context: int, vocabulary: int, channels: int = 96, dropout: float = 0.1) -> None:
        super().__init__()
        # The last embedding is that of the start token.
        self.embedding = nn.Embedding(vocabulary + 1, channels)
        nn.init.normal_(self.embedding.weight, std=channels**-0.5)
        self.start_token = vocabulary
        self.context_proj = nn.Linear(context, 2 * channels)
        self.convolutions = nn.ModuleList(nn.Linear(3 * channels, channels) for _ in self.dilations)
        self.mean_proj = nn.Linear(channels, channels, bias=False)
        self.hidden = nn.Linear(2 * channels, channels)
        self.bias = nn.Parameter(torch.zeros(vocabulary))
        self.dropout = nn.Dropout(dropout)

    def scores(self, context: Tensor, tokens: Tensor) -> Tensor:
        """Logits (B, T, V) of tokens 0..T-1, each given the context (B, C) and the tokens before it."""
        return self.window_scores(context, tokens, tokens.new_zeros(len(tokens)), tokens.shape[1])

    def window_scores(self, context: Tensor, tokens: Tensor, start: Tensor, size: int) -> Tensor:
        """Logits (B, K, V) of tokens start..start+K-1 of each row; arbitrary at positions outside 0..T-1.

        Args:
            context: (B, C).
            tokens: (B, T).
            start: integer (B,), first position of each row's window; may be negative.
            size: K.
        """
        reach, length = 2 * sum(self.dilations), tokens.shape[1]
        positions = start.long()[:, None] + torch.arange(-reach, size, device=tokens.device)
        previous = functional.pad(tokens[:, :-1].long(), (1, 0), value=self.start_token)
        inside = (positions >= 0)[..., None]
        words = self._embed(previous.gather(1, positions.clamp(0, length - 1))) * inside
        sums = words[:, reach:].cumsum(1)
        if size < length:
            before = (torch.arange(length, device=tokens.device) < start[:, None]).to(
                self.embedding.weight.dtype
            )
            outside = functional.embedding_bag(
                previous, self.embedding.weight, per_sample_weights=before, mode="sum"
            )
            sums = sums + self._scale * outside[:, None]
        means = sums / (positions[:, reach:, None] + 1).clamp_min(1)
        first, last = self.context_proj(context)[:, None].chunk(2, dim=2)
        words = (words + first) * inside
        for layer, dilation in zip(self.convolutions, self.dilations, strict=True):
            inside = inside[:, 2 * dilation :]
            read = [words[:, : -2 * dilation], words[:, dilation:-dilation], words[:, 2 * dilation :]]
            words = self._convolve(layer, read) * inside
        return self._logits(words, means, last)

    def start(self, context: Tensor) -> DecodingState:
        """State before the first token."""
        channels = self.embedding.embedding_dim
        first, last = self.context_proj(context).chunk(2, dim=1)
        inputs = tuple(context.new_zeros(len(context), 2 * dilation, channels) for dilation in self.dilations)
        return DecodingState(first, last, inputs, context.new_zeros(len(context), channels), 0)

    def step(self, state: DecodingState, token: Tensor | None) -> tuple[Tensor, DecodingState]:
        """Logits (B, V) of the token after `token` (B,), None before the first; and the new state."""
        if token is None:
            token = torch.full((len(state.first),), self.start_token, device=state.first.device)
        word = self._embed(token.long())
        total, count = state.total + word, state.length + 1
        word, inputs = word + state.first, []
        for layer, dilation, before in zip(self.convolutions, self.dilations, state.inputs, strict=True):
            inputs.append(torch.cat([before[:, 1:], word[:, None]], dim=1))
            word = self._convolve(layer, [before[:, 0], before[:, dilation], word])
        logits = self._logits(word, total / count, state.last)
        return logits, DecodingState(state.first, state.last, tuple(inputs), total, count)

    @property
    def _scale(self) -> float:
        """Factor of embeddings that are read, for a variance of one."""
        return math.sqrt(self.embedding.embedding_dim)

    def _embed(self, tokens: Tensor) -> Tensor:
        return self.dropout(self._scale * self.embedding(tokens))

    def _convolve(self, layer: nn.Module, read: list[Tensor]) -> Tensor:
        return read[2] + functional.gelu(layer(torch.cat(read, dim=-1)))

    def _logits(self, words: Tensor, means: Tensor, context: Tensor) -> Tensor:
        mixed = functional.gelu(torch.cat([words + self.mean_proj(means), (words + context)], dim=-1))
        return functional.linear(self.dropout(self.hidden(mixed)), self.embedding.weight[:-1], self.bias)


class DecodingState(NamedTuple):
    """State of a `TokenDecoder` between two tokens.

    Attributes:
        first: the context (B, C) that the first layer reads.
        last: the context (B, C) that the last layer reads.
        inputs: the last inputs (B, 2 d, C) of each convolution of dilation d.
        total: sum (B, C) of the embeddings of the tokens before.
        length: their number.
    """

    first: Tensor
    last: Tensor
    inputs: tuple[Tensor, ...]
    total: Tensor
    length: int


def _trim_padding(tokens: Tensor) -> Tensor:
    """Sequences (B, T) without the positions at which all have ended; on other devices than the CPU as they are.

    There the longest one's length would have to be waited for. One position is kept for the end.
    """
    if tokens.device.type != "cpu":
        return tokens
    return tokens[:, : max(int((tokens != _END).any(0).sum()) + 1, 2)]
