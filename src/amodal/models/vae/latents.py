"""Latent variables of a row: one shared by all columns and, in some models, one private to each column."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from amodal.distributions import GaussianMixture, Gaussians, RowNoise


@dataclass(frozen=True)
class Latents:
    """Samples of a row's latent variables.

    Attributes:
        shared: z (B, S, D), which every column's decoder reads.
        private: column name -> w_m (B, S, P), which only that column's decoder reads; empty in a model without.

    Example:
        >>> latents = Latents(torch.zeros(2, 1, 3), {"image": torch.ones(2, 1, 4)})
        >>> latents.for_column("image").shape, latents.for_column("label").shape
        (torch.Size([2, 1, 7]), torch.Size([2, 1, 3]))
    """

    shared: Tensor
    private: Mapping[str, Tensor] = field(default_factory=dict)

    def for_column(self, name: str) -> Tensor:
        """Input of a column's decoder: (z, w_m), or z alone, (B, S, D + P) or (B, S, D)."""
        private = self.private.get(name)
        return self.shared if private is None else torch.cat([self.shared, private], dim=-1)

    @classmethod
    def cat(cls, *parts: Latents) -> Latents:
        """Concatenate the samples of each row."""
        shared = torch.cat([part.shared for part in parts], dim=1)
        return cls(
            shared, {name: torch.cat([part.private[name] for part in parts], 1) for name in parts[0].private}
        )


@dataclass(frozen=True)
class Posterior:
    """q(z, w | x) = q(z | x) prod_m q(w_m | x_m), over a row's latent variables.

    Attributes:
        shared: q(z | x), (B, D).
        private: column name -> q(w_m | x_m), (B, P); of an absent cell the prior N(0, I).
    """

    shared: GaussianMixture
    private: Mapping[str, Gaussians] = field(default_factory=dict)

    def draw(self, noise: RowNoise, samples: int) -> Latents:
        """Reparameterised samples, (B, samples, ...)."""
        shared = self.shared.draw(noise, samples)
        return Latents(shared, {name: q.draw(noise, samples) for name, q in self.private.items()})

    def log_prob(self, latents: Latents) -> Tensor:
        """Log density (B, S) in nats."""
        scores = self.shared.log_prob(latents.shared)
        for name, q in self.private.items():
            scores = scores + q[:, None].log_prob(latents.private[name])
        return scores
