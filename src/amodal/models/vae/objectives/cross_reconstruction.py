"""Importance-weighted bound with private latents and cross-reconstruction (MMVAE+)."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from amodal.batch import Batch
from amodal.distributions import RowNoise
from amodal.models.objective import Loss, Objective
from amodal.models.vae.latents import Latents, Posterior
from amodal.models.vae.objectives.importance_weighted import dreg_bound
from amodal.models.vae.objectives.terms import column_terms, kl_warm_up, weighted_sum
from amodal.models.vae.private_latent import MMVAEPlus


@dataclass(frozen=True)
class CrossReconstruction(Objective[MMVAEPlus]):
    """The objective of MMVAE+ (Palumbo et al., ICLR 2023, https://openreview.net/forum?id=sdQGxouELX).

    (1/M) sum_m E log (1/K) sum_k p(x_m | z, w_m) prod_{n != m} p(x_n | z, v_n) R^beta, over the M present columns, with
    R = p(z) p(w_m) / (q(z | x) q(w_m | x_m)), and K samples of z ~ q_m(z | x_m), w_m ~ q(w_m | x_m) and v_n ~ r_n.
    A column is decoded from its own z with its private latent, and from another column's z with a draw of its
    auxiliary prior r_n: what columns have in common must be in z. With r_n = p(w_n) and beta = 1 it is a lower bound on
    log p(x).

    The paper has Laplace distributions, here they are Gaussian. Its gradient is that of `dreg_bound`.

    Attributes:
        samples: K.
        beta: weight of the divergences.
    """

    samples: int = 1
    beta: float = 1.0

    def __call__(self, model: MMVAEPlus, batch: Batch, noise: RowNoise, progress: float = 1.0) -> Loss:
        posterior = model.posterior(batch)
        z = posterior.shared.draw_each(noise, self.samples)
        w = torch.stack([q.draw(noise, self.samples) for q in posterior.private.values()], dim=1)
        q_z, names = posterior.shared.detached(), list(posterior.private)
        private, divergences = {}, []
        for m, name in enumerate(names):
            own = Latents(z[:, m], {name: w[:, m]})
            q = Posterior(q_z, {name: posterior.private[name].detached()})
            divergences.append(q.log_prob(own) - model.log_prior(own))
            auxiliary = model.auxiliary_log_scales[m].exp() * noise.normal(*w.shape[1:])
            experts = torch.arange(len(names), device=w.device)[:, None, None]
            private[name] = torch.where(experts == m, w[:, m, None], auxiliary).flatten(1, 2)
        likelihoods = model.log_likelihoods(Latents(z.flatten(1, 2), private), batch)
        by_expert = likelihoods.view(*w.shape[:3], len(names))
        divergence = torch.stack(divergences, dim=1)
        log_weights = weighted_sum(model, by_expert) - kl_warm_up(progress) * self.beta * divergence
        bound = dreg_bound(log_weights, z, w)
        strata = posterior.shared.weights
        kl = (strata * divergence.mean(2)).sum(1).mean()
        terms = column_terms(model, (strata[:, :, None] * by_expert.mean(2)).sum(1, keepdim=True), batch)
        return Loss(-(strata * bound).sum(1).mean(), {"kl": kl.detach(), **terms})
