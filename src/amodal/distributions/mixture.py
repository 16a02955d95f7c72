"""Mixtures with different components in each row."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, singledispatch

import torch
from torch import Tensor
from torch.distributions import Categorical, Distribution, MixtureSameFamily, Normal

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
        scores = self.components[:, None].log_prob(z[:, :, None])
        return torch.logsumexp(scores + self.weights.log()[:, None], dim=2)

    def draw(self, noise: RowNoise, samples: int) -> Tensor:
        """Samples (B, samples, D), reparameterised given their component."""
        count, dims = self.components.mean.shape[1:]
        eps = noise.normal(samples, dims)
        if count == 1:
            return self.components.reparameterise(eps)
        # Inverting the distribution function takes one random number a sample instead of K.
        cdf = self.weights.cumsum(1)
        component = (noise.uniform(samples)[:, :, None] * cdf[:, None, -1:] > cdf[:, None]).sum(2)
        index = component[:, :, None].expand(-1, -1, dims)
        mean, log_variance = (
            t.gather(1, index) for t in (self.components.mean, self.components.log_variance)
        )
        return Gaussians(mean, log_variance).reparameterise(eps)

    def draw_each(self, noise: RowNoise, samples: int) -> Tensor:
        """Reparameterised samples (B, K, samples, D) of every component, active or not."""
        count, dims = self.components.mean.shape[1:]
        return self.components[:, :, None].reparameterise(noise.normal(count, samples, dims))

    @property
    def mean(self) -> Tensor:
        """Mean of the mixture, (B, D)."""
        return (self.components.mean * self.weights[:, :, None]).sum(1)

    def detached(self) -> GaussianMixture:
        """The same mixture without gradient."""
        return GaussianMixture(self.components.detached(), self.active)


@singledispatch
def mixture_of(components: Distribution, rows: int) -> Distribution:
    """The even mixture of each row's components.

    Args:
        components: of B rows with S components each, row by row, as one batch (B S).
        rows: B.

    Raises:
        NotImplementedError: the components are of a type without a mixture; add one with `mixture_of.register`.
    """
    raise NotImplementedError(f"there is no mixture of {type(components).__name__} distributions")


@mixture_of.register
def _(components: Categorical, rows: int) -> Distribution:
    return Categorical(probs=components.probs.view(rows, -1, components.probs.shape[-1]).mean(1))


@mixture_of.register
def _(components: Normal, rows: int) -> Distribution:
    loc, scale = components.loc.view(rows, -1), components.scale.view(rows, -1)
    even = Categorical(logits=torch.zeros_like(loc), validate_args=False)
    return MixtureSameFamily(even, Normal(loc, scale, validate_args=False), validate_args=False)
