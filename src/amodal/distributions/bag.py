"""Bags of words: which words a text has and how often, in no order."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.distributions import Distribution

from amodal.distributions.noise import RowNoise


class BagOfWords(Distribution):
    """How many words a bag holds, 1 to L, and a multinomial over which they are.

    A value is a tensor of counts (B, V). Word 0 stands for any outside the vocabulary: it is scored, and never
    drawn. Bags of more than L words count as of L words in the length's part of the score.

    Args:
        length_logits: (B, L), of lengths 1 to L.
        word_logits: (B, V), of the words.
    """

    arg_constraints: dict[str, Any] = {}  # noqa: RUF012 - torch declares it so
    has_rsample = False

    def __init__(self, length_logits: Tensor, word_logits: Tensor) -> None:
        self.length_logits = length_logits.log_softmax(-1)
        self.word_logits = word_logits.log_softmax(-1)
        super().__init__(word_logits.shape[:1], word_logits.shape[1:], validate_args=False)

    def log_prob(self, value: Tensor) -> Tensor:
        """Log probability (B,) of bags in nats, the multinomial coefficient included."""
        words = value.sum(1)
        length = words.long().clamp(1, self.length_logits.shape[1]) - 1
        orders = torch.lgamma(words + 1.0) - torch.lgamma(value + 1.0).sum(1)
        return (
            self.length_logits.gather(1, length[:, None])[:, 0] + orders + (value * self.word_logits).sum(1)
        )

    def draw(self, noise: RowNoise) -> Tensor:
        """Draw a bag a row: its length, then its words one by one."""
        limit = self.length_logits.shape[1]
        length = (self.length_logits + noise.gumbel(limit)).argmax(1) + 1
        levels = self._known.softmax(1).cumsum(1)
        # By inverting the distribution function, so that a word costs one number and not one a vocabulary's word.
        words = torch.searchsorted(levels, noise.uniform(limit) * levels[:, -1:])
        counted = torch.arange(limit, device=length.device) < length[:, None]
        return torch.zeros_like(levels).scatter_add_(1, words, counted.to(levels.dtype))

    def sample(self, sample_shape: torch.Size | list[int] | tuple[int, ...] = ()) -> Tensor:
        """Draw a bag a row with torch's global generator; `sample_shape` must be empty."""
        if tuple(sample_shape):
            raise NotImplementedError("a BagOfWords draws one bag a row: sample_shape must be empty")
        seed = int(torch.randint(2**31, ()).item())
        rows = torch.arange(len(self.word_logits), device=self.word_logits.device)
        return self.draw(RowNoise(seed, rows))

    @property
    def mode(self) -> Tensor:
        """The most probable bag of the most probable length."""
        length = self.length_logits.argmax(1) + 1
        counts = torch.zeros_like(self.word_logits)
        for place in range(int(length.max()) if len(length) else 0):
            # A multinomial's most probable counts grow by the word of the greatest p / (count + 1).
            best = (self._known - torch.log(counts + 1.0)).argmax(1, keepdim=True)
            counts.scatter_add_(1, best, (place < length)[:, None].to(counts.dtype))
        return counts

    @property
    def _known(self) -> Tensor:
        unknown = torch.arange(self.word_logits.shape[1], device=self.word_logits.device) == 0
        return self.word_logits.masked_fill(unknown, -torch.inf)
