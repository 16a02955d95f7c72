"""Variational autoencoder of one column."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.distributions import Distribution

from amodal.distributions import Gaussians, RowNoise, bounded_gaussians
from amodal.modalities import Modality


class ColumnAutoencoder(nn.Module):
    """Encoder q(z | x) and decoder p(x | z) of one column's cells, whatever the other columns hold; z is (B, D).

    Args:
        modality: modality of the column, with a `latent` size D.
        features: size of the encoder's output.

    Attributes:
        latent_mean: (D,), mean of the latents of the column's cells.
        latent_std: (D,), their standard deviation: of samples of q(z | x), not of its means. A dimension that carries
            no information has means without variance, and dividing by their deviation would explode.
    """

    latent_mean: Tensor
    latent_std: Tensor

    def __init__(self, modality: Modality, features: int) -> None:
        super().__init__()
        if modality.latent is None:
            raise ValueError(
                f"{type(modality).__name__} has no latent size, so it cannot have an autoencoder"
            )
        self.latent = modality.latent
        self.encoder = modality.encoder(features)
        self.head = nn.Linear(features, 2 * self.latent)
        self.decoder = modality.decoder(self.latent)
        self.register_buffer("latent_mean", torch.zeros(self.latent))
        self.register_buffer("latent_std", torch.ones(self.latent))

    def posterior(self, cells: Tensor) -> Gaussians:
        """q(z | x) of scaled cells, (B, D)."""
        return bounded_gaussians(self.head(self.encoder(cells)))

    @torch.no_grad()
    def fit_latent_stats(self, posteriors: Gaussians) -> None:
        """Set `latent_mean` and `latent_std` from the posteriors (N, D) of the column's cells; kept if N = 0."""
        if len(posteriors.mean):
            within = posteriors.log_variance.exp().mean(0)
            self.latent_mean.copy_(posteriors.mean.mean(0))
            self.latent_std.copy_((posteriors.mean.var(0, unbiased=False) + within).sqrt())

    def normalised(self, posterior: Gaussians) -> Gaussians:
        """The posterior of (z - latent_mean) / latent_std, the latent that flows generate."""
        return Gaussians(
            (posterior.mean - self.latent_mean) / self.latent_std,
            posterior.log_variance - 2.0 * self.latent_std.log(),
        )

    def decode(self, normalised: Tensor) -> Distribution:
        """p(x | z) of normalised latents (B, D)."""
        return self.decoder(normalised * self.latent_std + self.latent_mean)

    def log_prob(self, cells: Tensor, prior: Distribution, noise: RowNoise, num_samples: int) -> Tensor:
        """Importance-weighted bound on log p(x) (B,): log (1/K) sum_k p(x | z_k) p(z_k) / q(z_k | x).

        Args:
            cells: scaled cells (B, ...).
            prior: p(z), over normalised latents (B, D).
            noise: random numbers of the rows.
            num_samples: K.
        """
        posterior = self.normalised(self.posterior(cells))
        deviation = torch.exp(0.5 * posterior.log_variance)
        weights = []
        for _ in range(num_samples):
            z = posterior.mean + deviation * noise.normal(self.latent)
            weights.append(self.decode(z).log_prob(cells) + prior.log_prob(z) - posterior.log_prob(z))
        return torch.logsumexp(torch.stack(weights), dim=0) - math.log(num_samples)
