"""The evidence lower bounds of columns by themselves."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from amodal.batch import Batch
from amodal.distributions import RowNoise, kl_to_standard
from amodal.modalities import Modality
from amodal.models.base import apply_to_present
from amodal.models.latent_flow.autoencoder import ColumnAutoencoder
from amodal.models.latent_flow.model import LatentFlow
from amodal.models.objective import Loss, Objective


@dataclass(frozen=True)
class ColumnELBO(Objective[LatentFlow]):
    """Sum over columns with an autoencoder of E_q log p(x_m | z_m) - beta KL(q || p), paired or not.

    Each column's bound is divided by `Modality.size`, so that a small picture is not drowned by a long sound.

    Attributes:
        beta: weight of the divergence: below 1, since a flow finds the latents wherever they lie, while what an
            autoencoder loses no flow gives back.
        likelihood_weight: nats that a column weighs at a noise scale of one.
    """

    beta: float = 0.5
    likelihood_weight: float = 100.0

    def __call__(self, model: LatentFlow, batch: Batch, noise: RowNoise, progress: float = 1.0) -> Loss:
        total = torch.zeros((), device=batch.present.device)
        terms = {}
        for index, (name, modality) in enumerate(model.modalities.items()):
            autoencoder = model.autoencoder(index)
            if autoencoder is None:
                continue
            present, start = batch.present[:, index], noise.normal(autoencoder.latent)
            bound = apply_to_present(
                partial(self._bound, autoencoder, modality), present, batch.x[name], start
            )
            total = total - self.likelihood_weight / modality.size * bound.mean()
            terms[name] = (bound.sum() / present.sum().clamp_min(1)).detach()
        return Loss(total, terms)

    def _bound(
        self, autoencoder: ColumnAutoencoder, modality: Modality, stored: Tensor, start: Tensor
    ) -> Tensor:
        """Of each stored cell, (B,), for a latent made of standard normal numbers (B, D)."""
        cells = modality.scale(stored)
        posterior = autoencoder.posterior(cells)
        z = posterior.mean + torch.exp(0.5 * posterior.log_variance) * start
        return autoencoder.decoder(z).log_prob(cells) - self.beta * kl_to_standard(posterior)
