"""Gaussian mixtures with a different set of components in each row."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from amodal.distributions.gaussian import Gaussians
from amodal.distributions.noise import RowNoise


@dataclass(frozen=True)
class GaussianMixture:
    """(1/|A|) sum_{k in A} N(z; mean_k, var_k), over the active components A of each of B rows.

    Attributes:
        components: K diagonal Gaussians a row, (B, K, D), finite everywhere.
        active: boolean (B, K), at least one true a row.
    """

    components: Gaussians
    active: Tensor

    @cached_property
    def weights(self) -> Tensor:
        """Component probabilities (B, K): uniform over the active components, zero elsewhere."""
        active = self.active.to(self.components.mean.dtype)
        return active / active.sum(1, keepdim=True)

    def log_prob(self, z: Tensor) -> Tensor:
        """Log density (B, S) of z (B, S, D) in nats."""
        if self.active.shape[1] == 1:
            return self.components.log_prob(z)
        components = Gaussians(self.components.mean[:, None], self.components.log_variance[:, None])
        return torch.logsumexp(components.log_prob(z[:, :, None]) + self.weights.log()[:, None], dim=2)

    def draw(self, noise: RowNoise, samples: int) -> Tensor:
        """Samples (B, samples, D), reparameterised given their component."""
        mean, log_variance = self.components.mean, self.components.log_variance
        count, dims = mean.shape[1], mean.shape[2]
        eps = noise.normal(samples, dims)
        if count == 1:
            return mean + torch.exp(0.5 * log_variance) * eps
        # Inverting the distribution function takes one random number a sample instead of K.
        cdf = self.weights.cumsum(1)
        component = (noise.uniform(samples)[:, :, None] * cdf[:, None, -1:] > cdf[:, None]).sum(2)
        index = component[:, :, None].expand(-1, -1, dims)
        return mean.gather(1, index) + torch.exp(0.5 * log_variance.gather(1, index)) * eps

    def draw_each(self, noise: RowNoise, samples: int) -> Tensor:
        """Reparameterised samples (B, K, samples, D) of every component, active or not."""
        mean, log_variance = self.components.mean[:, :, None], self.components.log_variance[:, :, None]
        eps = noise.normal(mean.shape[1], samples, mean.shape[3])
        return mean + torch.exp(0.5 * log_variance) * eps

    @property
    def mean(self) -> Tensor:
        """Mean of the mixture, (B, D)."""
        return (self.components.mean * self.weights[:, :, None]).sum(1)

    def detached(self) -> GaussianMixture:
        """The same mixture without gradient."""
        return GaussianMixture(self.components.detached(), self.active)
