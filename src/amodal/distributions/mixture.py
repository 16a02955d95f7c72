"""A Gaussian mixture whose components come and go with what each row has."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from amodal.distributions.gaussian import Gaussians
from amodal.distributions.noise import RowNoise


@dataclass(frozen=True)
class GaussianMixture:
    """For each of B rows, an evenly weighted mixture of those of its K diagonal Gaussians that are active.

    Attributes:
        components: mean and log-variance of shape (B, K, D), finite everywhere.
        active: boolean (B, K), at least one a row.
    """

    components: Gaussians
    active: Tensor

    @cached_property
    def weights(self) -> Tensor:
        """Probability of each component, (B, K): even over the active ones, zero elsewhere."""
        active = self.active.to(self.components.mean.dtype)
        return active / active.sum(1, keepdim=True)

    def log_prob(self, z: Tensor) -> Tensor:
        """Log density of `z` (B, S, D) as (B, S)."""
        if self.active.shape[1] == 1:
            return self.components.log_prob(z)
        each = Gaussians(self.components.mean[:, None], self.components.log_variance[:, None])
        return torch.logsumexp(each.log_prob(z[:, :, None]) + self.weights.log()[:, None], dim=2)

    def draw(self, noise: RowNoise, samples: int) -> Tensor:
        """Reparameterised draws (B, samples, D): first a component each, then a point of it."""
        mean, log_variance = self.components.mean, self.components.log_variance
        count, dims = mean.shape[1], mean.shape[2]
        eps = noise.normal(samples, dims)
        if count == 1:
            return mean + torch.exp(0.5 * log_variance) * eps
        # The component is drawn by inverting the distribution function, so that it costs one number a draw.
        levels = self.weights.cumsum(1)
        chosen = (noise.uniform(samples)[:, :, None] * levels[:, None, -1:] > levels[:, None]).sum(2)
        index = chosen[:, :, None].expand(-1, -1, dims)
        return mean.gather(1, index) + torch.exp(0.5 * log_variance.gather(1, index)) * eps

    def draw_each(self, noise: RowNoise, samples: int) -> Tensor:
        """Reparameterised draws of every component, active or not: (B, K, samples, D)."""
        mean, log_variance = self.components.mean[:, :, None], self.components.log_variance[:, :, None]
        eps = noise.normal(mean.shape[1], samples, mean.shape[3])
        return mean + torch.exp(0.5 * log_variance) * eps

    @property
    def mean(self) -> Tensor:
        """The mixture's mean, (B, D)."""
        return (self.components.mean * self.weights[:, :, None]).sum(1)

    def detached(self) -> GaussianMixture:
        """The same mixture, through which no gradient reaches the encoders."""
        components = Gaussians(self.components.mean.detach(), self.components.log_variance.detach())
        return GaussianMixture(components, self.active)
