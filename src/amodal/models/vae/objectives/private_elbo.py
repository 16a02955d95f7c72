"""Evidence lower bounds of the joint and of each column's shared latent, with private latents (DMVAE)."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from amodal.batch import Batch
from amodal.distributions import RowNoise, kl_to_standard
from amodal.models.objective import Loss, Objective
from amodal.models.vae.latents import Latents
from amodal.models.vae.objectives.terms import column_terms, kl_warm_up, weighted_sum
from amodal.models.vae.private_latent import PrivateLatentVAE


@dataclass(frozen=True)
class PrivateELBO(Objective[PrivateLatentVAE]):
    """The objective of DMVAE (Lee & Pavlovic, CVPR Workshops 2021, https://par.nsf.gov/servlets/purl/10297662).

    L(q(z | x)) + sum_j L(q(z | x_j)) over the present columns j, with
    L(q) = sum_m E_{q(z), q(w_m | x_m)} log p(x_m | z, w_m) - beta [KL(q(z) || p) + sum_m KL(q(w_m | x_m) || p)]:
    all present columns are decoded from the joint z and from each single column's z, with the same sample of their own
    w_m, as in the paper's released code. There a single column's q(z | x_j) is its expert alone; here it is the fusion
    rule's posterior of that column, from which cells are completed.

    Attributes:
        beta: weight of the divergences.
    """

    beta: float = 1.0

    def __call__(self, model: PrivateLatentVAE, batch: Batch, noise: RowNoise, progress: float = 1.0) -> Loss:
        experts, private = model.encode_parts(batch)
        singles = torch.diag_embed(batch.present)
        masks = torch.cat([batch.present[:, None], singles], dim=1)
        posteriors = [model.fusion(experts, mask) for mask in masks.unbind(1)]
        z = torch.cat([q.draw(noise, 1) for q in posteriors], dim=1)
        w = {name: q.draw(noise, 1).expand(-1, len(posteriors), -1) for name, q in private.items()}
        likelihoods = model.log_likelihoods(Latents(z, w), batch)
        kl = torch.cat([model.prior.kl(q.components) for q in posteriors], dim=1)
        private_kl = torch.stack([kl_to_standard(q) for q in private.values()]).sum(0)
        divergence = kl + private_kl[:, None]
        elbo = weighted_sum(model, likelihoods) - kl_warm_up(progress) * self.beta * divergence
        total = -torch.where(masks.any(2), elbo, 0.0).sum(1).mean()
        terms = {"kl": kl[:, 0].mean().detach(), "private_kl": private_kl.mean().detach()}
        return Loss(total, {**terms, **column_terms(model, likelihoods[:, :1], batch)})
