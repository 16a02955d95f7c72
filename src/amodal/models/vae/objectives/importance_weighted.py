"""The importance-weighted bound, stratified over a mixture's experts."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

from amodal.batch import Batch
from amodal.distributions import RowNoise
from amodal.models.objective import Loss, Objective
from amodal.models.vae.joint_latent import JointLatentVAE
from amodal.models.vae.objectives.terms import column_terms, warm_up, weighed


@dataclass(frozen=True)
class ImportanceWeighted(Objective[JointLatentVAE]):
    """(1/M) sum_j E_{z^1..K ~ q_j} log (1/K) sum_k p(z^k, x) / q(z^k | x), as MMVAE trains it.

    Shi et al. (arXiv 1911.03393), with the doubly reparameterised gradient of Tucker et al. (arXiv 1810.04152):
    the density q is held fixed and the latents' gradients are weighted by their normalised importance.

    Attributes:
        samples: K.
    """

    samples: int = 1

    def __call__(self, model: JointLatentVAE, batch: Batch, noise: RowNoise, progress: float = 1.0) -> Loss:
        kl_weight = warm_up(progress)
        posterior = model.posterior(batch)
        components, samples = posterior.active.shape[1], self.samples
        z = posterior.draw_each(noise, samples).flatten(1, 2)
        likelihoods = model.log_likelihoods(z, batch)
        divergence = posterior.detached().log_prob(z) - model.prior().log_prob(z)
        bound = weighed(model, likelihoods) - kl_weight * divergence
        bound = bound.view(-1, components, samples)
        with torch.no_grad():
            importance = torch.softmax(bound, dim=2)
            if z.requires_grad:
                tempered = importance.view(-1, components * samples, 1)
                z.register_hook(lambda gradient: gradient * tempered)
        # The latents' gradient is weighted twice, by the sum below and by the hook; the networks' once.
        surrogate = (importance * bound).sum(2)
        value = torch.logsumexp(bound, dim=2) - math.log(samples)
        strata = posterior.weights
        total = -(strata * (surrogate + (value - surrogate).detach())).sum(1).mean()
        kl = (strata * divergence.view(-1, components, samples).mean(2)).sum(1).mean()
        shown = likelihoods.view(-1, components, samples, likelihoods.shape[2]).mean(2)
        terms = column_terms(model, (strata[:, :, None] * shown).sum(1, keepdim=True), batch)
        return Loss(total, {"kl": kl.detach(), **terms})
