"""Bound on the total correlation of the columns (MVTCAE)."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from amodal.batch import Batch
from amodal.distributions import RowNoise
from amodal.models.objective import Loss, Objective
from amodal.models.vae.latents import Latents
from amodal.models.vae.multimodal_vae import MultimodalVAE
from amodal.models.vae.objectives.terms import column_terms, kl_warm_up, weighted_sum


@dataclass(frozen=True)
class TotalCorrelation(Objective[MultimodalVAE]):
    """Objective of MVTCAE (Hwang et al., NeurIPS 2021), over the M present columns of each row.

    ((M - a) / M) E_q log p(x | z) - beta [(1 - a) KL(q || p) + (a / M) sum_j KL(q || q_j)]: each expert q_j is pulled
    towards the joint posterior q, and so learns to predict the other columns.

    Attributes:
        alpha: a, from 0 (the ELBO) to 1.
        beta: weight of the divergences.
    """

    alpha: float = 5 / 6
    beta: float = 2.5

    def __call__(self, model: MultimodalVAE, batch: Batch, noise: RowNoise, progress: float = 1.0) -> Loss:
        experts = model.encode(batch)
        posterior = model.fusion(experts, batch.present)
        likelihoods = model.log_likelihoods(Latents(posterior.draw(noise, 1)), batch)
        count = batch.present.sum(1).clamp_min(1)

        kl = model.prior.kl(posterior.components)[:, 0]
        expert_kl = torch.where(batch.present, posterior.components.kl(experts), 0.0).sum(1) / count
        fit = weighted_sum(model, likelihoods)[:, 0] * (count - self.alpha) / count
        divergence = (1 - self.alpha) * kl + self.alpha * expert_kl
        total = -fit + kl_warm_up(progress) * self.beta * divergence
        terms = {"kl": kl.mean().detach(), "expert_kl": expert_kl.mean().detach()}
        return Loss(total.mean(), {**terms, **column_terms(model, likelihoods, batch)})
