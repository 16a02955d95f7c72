"""Importance-weighted bound, stratified over the experts of a mixture."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from amodal.batch import Batch
from amodal.distributions import RowNoise
from amodal.models.objective import Loss, Objective
from amodal.models.vae.joint_latent import JointLatentVAE
from amodal.models.vae.latents import Latents
from amodal.models.vae.objectives.terms import column_terms, kl_warm_up, weighted_sum


@dataclass(frozen=True)
class ImportanceWeighted(Objective[JointLatentVAE]):
    """(1/M) sum_j E_{z^1..K ~ q_j} log (1/K) sum_k p(z^k, x) / q(z^k | x), as in MMVAE (Shi et al., arXiv 1911.03393).

    Its gradient is doubly reparameterised, see `dreg_bound`.

    Attributes:
        samples: K.
    """

    samples: int = 1

    def __call__(self, model: JointLatentVAE, batch: Batch, noise: RowNoise, progress: float = 1.0) -> Loss:
        posterior = model.posterior(batch).shared
        experts = posterior.active.shape[1]
        z = posterior.draw_each(noise, self.samples)
        latents = Latents(z.flatten(1, 2))
        likelihoods = model.log_likelihoods(latents, batch)
        divergence = posterior.detached().log_prob(latents.shared) - model.log_prior(latents)
        log_weights = weighted_sum(model, likelihoods) - kl_warm_up(progress) * divergence
        bound = dreg_bound(log_weights.view(-1, experts, self.samples), z)
        strata = posterior.weights
        kl = (strata * divergence.view(-1, experts, self.samples).mean(2)).sum(1).mean()
        by_expert = likelihoods.view(-1, experts, self.samples, likelihoods.shape[2]).mean(2)
        terms = column_terms(model, (strata[:, :, None] * by_expert).sum(1, keepdim=True), batch)
        return Loss(-(strata * bound).sum(1).mean(), {"kl": kl.detach(), **terms})


def dreg_bound(log_weights: Tensor, *latents: Tensor) -> Tensor:
    """Log (1/K) sum_k exp(log_weights_k), with the doubly reparameterised gradient (Tucker et al., arXiv 1810.04152).

    Args:
        log_weights: (B, C, K), with the density q of the latents detached from its parameters.
        latents: reparameterised samples (B, C, K, D) of q, whose gradient is multiplied by the normalised weights once
            more.

    Returns:
        (B, C).
    """
    importance = torch.softmax(log_weights.detach(), dim=2)
    for z in latents:
        if z.requires_grad:
            z.register_hook(lambda gradient: gradient * importance[..., None])
    surrogate = (importance * log_weights).sum(2)
    value = torch.logsumexp(log_weights, dim=2) - math.log(log_weights.shape[2])
    return surrogate + (value - surrogate).detach()
