"""Evidence lower bounds of a row and of subsets of its cells."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from amodal.batch import Batch
from amodal.distributions import Gaussians, RowNoise
from amodal.models.objective import Loss, Objective
from amodal.models.vae.latents import Latents
from amodal.models.vae.multimodal_vae import MultimodalVAE
from amodal.models.vae.objectives.terms import column_terms, kl_warm_up, weighted_sum


@dataclass(frozen=True)
class SubsetELBO(Objective[MultimodalVAE]):
    """ELBO(x) + sum_j ELBO(x_j) + sum over random subsets of their ELBO, as in MVAE (Wu & Goodman, arXiv 1802.05335).

    It trains each expert alone too. A subset's bound covers the subset's own cells.

    Attributes:
        subsets: random subsets a row and step.
    """

    subsets: int = 1

    def __call__(self, model: MultimodalVAE, batch: Batch, noise: RowNoise, progress: float = 1.0) -> Loss:
        kl_weight = kl_warm_up(progress)
        experts = model.encode(batch)
        masks = [batch.present, *(self._random_subset(batch.present, noise) for _ in range(self.subsets))]
        total = torch.zeros((), device=batch.present.device)
        terms: dict[str, Tensor] = {}
        for mask in masks:
            posterior = model.fusion(experts, mask)
            z = Latents(posterior.draw(noise, 1))
            likelihoods = model.log_likelihoods(z, replace(batch, present=mask))
            kl = model.prior.kl(posterior.components).sum(1).mean()
            total = total - weighted_sum(model, likelihoods).mean() + kl_weight * kl
            terms = terms or {"kl": kl.detach(), **column_terms(model, likelihoods, batch)}
        return Loss(total + self._single_columns(model, experts, batch, noise, kl_weight), terms)

    @staticmethod
    def _random_subset(present: Tensor, noise: RowNoise) -> Tensor:
        return present & (noise.uniform(present.shape[1]) < 0.5)

    @staticmethod
    def _single_columns(
        model: MultimodalVAE, experts: Gaussians, batch: Batch, noise: RowNoise, kl_weight: float
    ) -> Tensor:
        """Sum of the single columns' negative bounds; only the column itself is decoded."""
        total = torch.zeros((), device=batch.present.device)
        for index in range(batch.present.shape[1]):
            single = torch.zeros_like(batch.present)
            single[:, index] = batch.present[:, index]
            posterior = model.fusion(experts, single)
            likelihood = model.column_log_likelihood(index, posterior.draw(noise, 1), batch).sum(1)
            kl = model.prior.kl(posterior.components).sum(1)
            total = total + (kl_weight * kl - model.weights[index] * likelihood).mean()
        return total
