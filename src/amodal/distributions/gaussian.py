"""Diagonal Gaussians and their closed forms."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from amodal.distributions.noise import RowNoise

_LOG_2PI = math.log(2.0 * math.pi)
_LOG_VARIANCE_LIMIT = 8.0


@dataclass(frozen=True)
class Gaussians:
    """A batch of diagonal Gaussians N(mean, diag(exp(log_variance))), of any leading shape.

    Attributes:
        mean: (..., D).
        log_variance: (..., D).
    """

    mean: Tensor
    log_variance: Tensor

    @classmethod
    def cat(cls, parts: Sequence[Gaussians]) -> Gaussians:
        """Concatenate along the first dimension."""
        return cls(torch.cat([p.mean for p in parts]), torch.cat([p.log_variance for p in parts]))

    def __getitem__(self, index: Any) -> Gaussians:
        """Index mean and log-variance alike."""
        return Gaussians(self.mean[index], self.log_variance[index])

    def log_prob(self, z: Tensor) -> Tensor:
        """Log density (...) of z (..., D) in nats; leading shapes broadcast."""
        squared = (z - self.mean).square() * torch.exp(-self.log_variance)
        return -0.5 * (squared + self.log_variance + _LOG_2PI).sum(-1)

    def draw(self, noise: RowNoise, samples: int) -> Tensor:
        """Reparameterised samples (B, samples, D) of Gaussians (B, D)."""
        eps = noise.normal(samples, self.mean.shape[1])
        return self.mean[:, None] + torch.exp(0.5 * self.log_variance)[:, None] * eps

    def detached(self) -> Gaussians:
        """The same Gaussians without gradient."""
        return Gaussians(self.mean.detach(), self.log_variance.detach())

    def kl(self, other: Gaussians) -> Tensor:
        """KL(self || other) (...) in nats; leading shapes broadcast."""
        ratio = self.log_variance - other.log_variance
        squared = (self.mean - other.mean).square() * torch.exp(-other.log_variance)
        return 0.5 * (ratio.exp() + squared - 1.0 - ratio).sum(-1)


def kl_to_standard(gaussians: Gaussians) -> Tensor:
    """KL(N(mean, var) || N(0, I)) = 1/2 sum(var + mean^2 - 1 - log var) (Kingma & Welling, arXiv 1312.6114).

    Example:
        >>> kl_to_standard(Gaussians(torch.ones(1, 2), torch.zeros(1, 2)))
        tensor([1.])
    """
    mean, log_variance = gaussians.mean, gaussians.log_variance
    return 0.5 * (log_variance.exp() + mean.square() - 1.0 - log_variance).sum(-1)


def bounded_gaussians(outputs: Tensor) -> Gaussians:
    """Read a network's outputs (..., 2 D) as means and log-variances (..., D), softly bounded to +-8."""
    mean, log_variance = outputs.float().chunk(2, dim=-1)
    return Gaussians(mean, _LOG_VARIANCE_LIMIT * torch.tanh(log_variance / _LOG_VARIANCE_LIMIT))
