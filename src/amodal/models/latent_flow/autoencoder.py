"""A column's own variational autoencoder."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.distributions import Distribution

from amodal.distributions import Gaussians
from amodal.modalities import Modality
from amodal.models.vae.joint_latent import bounded


class ColumnAutoencoder(nn.Module):
    """Cells of one column to latents (B, D) and back, whatever stands in other columns.

    Args:
        modality: of the column; says D.
        features: size of what the encoder gives.

    Attributes:
        centre: (D,), mean of the latents of the column's cells.
        spread: (D,), their standard deviation. Of samples of the posteriors, not of their means: a dimension
            that carries nothing has means of no spread, by which a division would explode.
    """

    centre: Tensor
    spread: Tensor

    def __init__(self, modality: Modality, features: int) -> None:
        super().__init__()
        if modality.latent is None:
            raise ValueError(f"{type(modality).__name__} has no latent")
        self.latent = modality.latent
        self.encoder = modality.encoder(features)
        self.head = nn.Linear(features, 2 * self.latent)
        self.decoder = modality.decoder(self.latent)
        self.register_buffer("centre", torch.zeros(self.latent))
        self.register_buffer("spread", torch.ones(self.latent))

    def posterior(self, cells: Tensor) -> Gaussians:
        """q(z | cell), (B, D)."""
        return bounded(self.head(self.encoder(cells)))

    @torch.no_grad()
    def measure(self, posteriors: Iterable[Gaussians]) -> None:
        """Set centre and spread from the posteriors of the column's cells; with no cell they stay."""
        parts = list(posteriors)
        mean = torch.cat([part.mean for part in parts])
        if len(mean):
            variance = torch.cat([part.log_variance for part in parts]).exp().mean(0)
            self.centre.copy_(mean.mean(0))
            self.spread.copy_((mean.var(0, unbiased=False) + variance).sqrt())

    def normalised(self, latents: Gaussians) -> Gaussians:
        """The same in units in which the column's latents have mean 0 and variance 1."""
        return Gaussians(
            (latents.mean - self.centre) / self.spread, latents.log_variance - 2.0 * self.spread.log()
        )

    def decode(self, normalised: Tensor) -> Distribution:
        """The likelihood of cells, of normalised latents (B, D)."""
        return self.decoder(normalised * self.spread + self.centre)
