"""The evidence lower bounds of columns by themselves."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from amodal.batch import Batch
from amodal.distributions import RowNoise, kl_to_standard
from amodal.models import LatentFlow
from amodal.objectives.objective import Loss, Objective


@dataclass(frozen=True)
class ColumnELBO(Objective[LatentFlow]):
    """Sum over columns with an autoencoder of E_q log p(x_m | z_m) - beta KL(q || p), paired or not.

    Each column's bound is divided by `Modality.size`, so that a small picture is not drowned by a long sound.

    Attributes:
        beta: weight of the divergence: below 1, since a flow finds the latents wherever they lie, while what an
            autoencoder loses no flow gives back.
        emphasis: nats that a column weighs at a noise scale of one.
    """

    beta: float = 0.5
    emphasis: float = 100.0

    def __call__(self, model: LatentFlow, batch: Batch, noise: RowNoise, progress: float = 1.0) -> Loss:
        total = torch.zeros((), device=batch.present.device)
        terms = {}
        for index, (name, modality) in enumerate(model.modalities.items()):
            autoencoder = model.autoencoder(index)
            if autoencoder is None:
                continue
            present, cells = batch.present[:, index], model.cells(index, batch)
            posterior = autoencoder.posterior(cells)
            deviation = torch.exp(0.5 * posterior.log_variance)
            z = posterior.mean + deviation * noise.normal(autoencoder.latent)
            bound = autoencoder.decoder(z).log_prob(cells) - self.beta * kl_to_standard(posterior)
            bound = torch.where(present, bound, 0.0)
            total = total - self.emphasis / modality.size * bound.mean()
            terms[name] = (bound.sum() / present.sum().clamp_min(1)).detach()
        return Loss(total, terms)
