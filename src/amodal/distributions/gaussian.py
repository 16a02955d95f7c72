"""Diagonal Gaussians over the latent: experts, and their closed forms."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

_LOG_2PI = math.log(2.0 * math.pi)


@dataclass(frozen=True)
class Gaussians:
    """A family of diagonal Gaussians of any leading shape.

    Attributes:
        mean: (..., D).
        log_variance: (..., D).
    """

    mean: Tensor
    log_variance: Tensor

    def log_prob(self, z: Tensor) -> Tensor:
        """Log density of `z` (..., D), summed over D; leading shapes broadcast."""
        squared = (z - self.mean).square() * torch.exp(-self.log_variance)
        return -0.5 * (squared + self.log_variance + _LOG_2PI).sum(-1)

    def kl(self, other: Gaussians) -> Tensor:
        """Kullback-Leibler divergence to `other`, summed over D; leading shapes broadcast."""
        ratio = self.log_variance - other.log_variance
        squared = (self.mean - other.mean).square() * torch.exp(-other.log_variance)
        return 0.5 * (ratio.exp() + squared - 1.0 - ratio).sum(-1)


def kl_to_standard(gaussians: Gaussians) -> Tensor:
    """Divergence of each Gaussian from the standard normal, summed over D (Kingma & Welling 2014, appendix B).

    Example:
        >>> kl_to_standard(Gaussians(torch.ones(1, 2), torch.zeros(1, 2)))
        tensor([1.])
    """
    mean, log_variance = gaussians.mean, gaussians.log_variance
    return 0.5 * (log_variance.exp() + mean.square() - 1.0 - log_variance).sum(-1)
