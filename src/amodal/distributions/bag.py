"""Distribution of bags of words: word counts of a text, without their order."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.distributions import Distribution

from amodal.distributions.noise import RowNoise


class BagOfWords(Distribution):
    """A categorical length n in 1..L and, given it, multinomial word counts.

    p(counts) = p(n) n! / prod_v counts_v! prod_v p_v^counts_v, with n = sum_v counts_v; a bag of more than L words
    takes p(L). A value is a tensor of counts (B, V). Word 0 is the unknown word: it is scored, and never drawn.

    Args:
        length_logits: logits (B, L) of the lengths 1 to L.
        word_logits: logits (B, V) of the words.
    """

    arg_constraints: dict[str, Any] = {}  # noqa: RUF012 - torch declares it so
    has_rsample = False

    def __init__(self, length_logits: Tensor, word_logits: Tensor) -> None:
        self.length_logits = length_logits.log_softmax(-1)
        self.word_logits = word_logits.log_softmax(-1)
        super().__init__(word_logits.shape[:1], word_logits.shape[1:], validate_args=False)

    def log_prob(self, value: Tensor) -> Tensor:
        """Log probability (B,) of bags (B, V) in nats, including the multinomial coefficient."""
        total = value.sum(1)
        length = total.long().clamp(1, self.length_logits.shape[1]) - 1
        coefficient = torch.lgamma(total + 1.0) - torch.lgamma(value + 1.0).sum(1)
        log_length = self.length_logits.gather(1, length[:, None])[:, 0]
        return log_length + coefficient + (value * self.word_logits).sum(1)

    def draw(self, noise: RowNoise) -> Tensor:
        """One bag a row, (B, V): a length, then that many words."""
        limit = self.length_logits.shape[1]
        length = (self.length_logits + noise.gumbel(limit)).argmax(1) + 1
        cdf = self._known_logits.softmax(1).cumsum(1)
        # Inverting the distribution function takes one random number a word instead of V.
        words = torch.searchsorted(cdf, noise.uniform(limit) * cdf[:, -1:])
        mask = torch.arange(limit, device=length.device) < length[:, None]
        return torch.zeros_like(cdf).scatter_add_(1, words, mask.to(cdf.dtype))

    def sample(self, sample_shape: torch.Size | list[int] | tuple[int, ...] = ()) -> Tensor:
        """One bag a row, (B, V), from torch's global generator; `sample_shape` must be empty."""
        if tuple(sample_shape):
            raise NotImplementedError("BagOfWords.sample draws one bag a row: sample_shape must be empty")
        seed = int(torch.randint(2**31, ()).item())
        rows = torch.arange(len(self.word_logits), device=self.word_logits.device)
        return self.draw(RowNoise(seed, rows))

    @property
    def mode(self) -> Tensor:
        """The most probable bag of the most probable length."""
        length = self.length_logits.argmax(1) + 1
        counts = torch.zeros_like(self.word_logits)
        for size in range(int(length.max()) if len(length) else 0):
            # A multinomial's mode grows by the word of the greatest p / (count + 1).
            best = (self._known_logits - torch.log(counts + 1.0)).argmax(1, keepdim=True)
            counts.scatter_add_(1, best, (size < length)[:, None].to(counts.dtype))
        return counts

    @property
    def _known_logits(self) -> Tensor:
        unknown = torch.arange(self.word_logits.shape[1], device=self.word_logits.device) == 0
        return self.word_logits.masked_fill(unknown, -torch.inf)
