"""The bound on the total correlation of the columns."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from amodal.batch import Batch
from amodal.distributions import RowNoise
from amodal.models.objective import Loss, Objective
from amodal.models.vae.multimodal_vae import MultimodalVAE
from amodal.models.vae.objectives.terms import column_terms, warm_up, weighed


@dataclass(frozen=True)
class TotalCorrelation(Objective[MultimodalVAE]):
    """The objective of MVTCAE (Hwang et al., NeurIPS 2021).

    ((M - a) / M) E_q log p(x | z) - beta [(1 - a) KL(q || p) + (a / M) sum_j KL(q || q_j)], over the M present
    columns of each row: each expert is drawn towards the joint posterior, and so learns to foresee the
    other columns.

    Attributes:
        alpha: a, from 0 (the evidence lower bound) to 1.
        beta: weight of the divergences.
    """

    alpha: float = 5 / 6
    beta: float = 2.5

    def __call__(self, model: MultimodalVAE, batch: Batch, noise: RowNoise, progress: float = 1.0) -> Loss:
        kl_weight = warm_up(progress)
        experts = model.encode(batch)
        posterior = model.fusion(experts, batch.present)
        likelihoods = model.log_likelihoods(posterior.draw(noise, 1), batch)
        count = batch.present.sum(1).clamp_min(1)

        kl = model.prior.kl(posterior.components)[:, 0]
        apart = torch.where(batch.present, posterior.components.kl(experts), 0.0).sum(1) / count
        fit = weighed(model, likelihoods)[:, 0] * (count - self.alpha) / count
        total = -fit + kl_weight * self.beta * ((1 - self.alpha) * kl + self.alpha * apart)
        terms = {"kl": kl.mean().detach(), "apart": apart.mean().detach()}
        return Loss(total.mean(), {**terms, **column_terms(model, likelihoods, batch)})
