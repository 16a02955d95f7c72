"""Distribution of a set of labels."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.distributions import Distribution
from torch.nn import functional

from amodal.distributions.noise import RowNoise


class LabelSet(Distribution):
    """Independent labels, given that there is at least one unless the set may be empty.

    log p(x) = sum_k log Bernoulli(x_k) - log(1 - prod_k (1 - p_k)), without the last term where `has_empty`.

    Args:
        logits: of each label, (B, K).
        has_empty: the set may be empty.
    """

    arg_constraints: dict[str, Any] = {}  # noqa: RUF012 - torch declares it so
    has_rsample = False

    def __init__(self, logits: Tensor, *, has_empty: bool = True) -> None:
        self.logits = logits
        self.has_empty = has_empty
        super().__init__(logits.shape[:1], logits.shape[1:], validate_args=False)

    @property
    def probs(self) -> Tensor:
        """Probabilities (B, K) of labels, of sets that may be empty."""
        return self.logits.sigmoid()

    def log_prob(self, value: Tensor) -> Tensor:
        """Log probability (B,) in nats of sets (B, K) of zeros and ones."""
        logits = self.logits.float()
        scores = -functional.binary_cross_entropy_with_logits(logits, value.float(), reduction="none").sum(1)
        if self.has_empty:
            return scores
        log_empty = functional.logsigmoid(-logits).sum(1).clamp_max(-_LEAST)
        return scores - torch.log(-torch.expm1(log_empty))

    def draw(self, noise: RowNoise) -> Tensor:
        """One set a row, (B, K)."""
        chances = noise.uniform(1 + self.logits.shape[1])
        return self._sets(chances[:, 0], chances[:, 1:])

    def sample(self, sample_shape: torch.Size | list[int] | tuple[int, ...] = ()) -> Tensor:
        """One set a row, from torch's global generator; `sample_shape` must be empty."""
        if tuple(sample_shape):
            raise NotImplementedError("LabelSet.sample draws one set a row: sample_shape must be empty")
        count, labels = self.logits.shape
        chances = torch.rand(count, 1 + labels, device=self.logits.device)
        return self._sets(chances[:, 0], chances[:, 1:])

    @property
    def mode(self) -> Tensor:
        """The likeliest set, (B, K)."""
        likely = self.logits > 0
        if not self.has_empty:
            first = functional.one_hot(self.logits.argmax(1), self.logits.shape[1]).bool()
            likely = likely | (first & ~likely.any(1, keepdim=True))
        return likely.float()

    def _sets(self, first: Tensor, others: Tensor) -> Tensor:
        """Sets by a chance (B,) of the first label, and one of each of the others (B, K)."""
        drawn = others.to(self.logits.device) < self.probs
        if self.has_empty:
            return drawn.float()
        # The first label of a set is j with probability p_j prod_{i < j} (1 - p_i); those after it are independent.
        absent = functional.logsigmoid(-self.logits.double()).cumsum(1)
        before = functional.pad(absent[:, :-1], (1, 0))
        shares = (functional.logsigmoid(self.logits.double()) + before).softmax(1).cumsum(1)
        place = torch.searchsorted(shares, first.to(shares)[:, None])[:, 0].clamp_max(shares.shape[1] - 1)
        labels = torch.arange(shares.shape[1], device=place.device)
        return ((drawn & (labels > place[:, None])) | (labels == place[:, None])).float()


_LEAST = 1e-6
"""Least log probability, negated, of an empty set: a logarithm of zero has no gradient."""
