"""Evidence lower bound (ELBO)."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from amodal.batch import Batch
from amodal.distributions import RowNoise
from amodal.models.objective import Loss, Objective
from amodal.models.vae.joint_latent import JointLatentVAE
from amodal.models.vae.objectives.terms import column_terms, kl_warm_up, weighted_sum


@dataclass(frozen=True)
class ELBO(Objective[JointLatentVAE]):
    """E_q log p(x | z) - beta KL(q || p), as in MoPoE (Sutter et al., arXiv 2105.02470).

    The divergence of a mixture has no closed form; the mean of its components' divergences is an upper bound, so
    that the objective is still a lower bound. For one component it is exact.

    With `dropout`, q is given a random part of some rows and still scored on all their cells, so that it learns to
    complete (modality dropout: Neverova et al., arXiv 1501.00102): a looser bound. An encoder of all columns at
    once needs it, since few rows of a table show one column alone.

    Attributes:
        beta: weight of the divergence (beta-VAE).
        dropout: share of the rows of which q is given a random part, of one cell at least.
    """

    beta: float = 1.0
    dropout: float = 0.0

    def __call__(self, model: JointLatentVAE, batch: Batch, noise: RowNoise, progress: float = 1.0) -> Loss:
        given = self.given_mask(batch.present, noise) if self.dropout else batch.present
        posterior = model.posterior(replace(batch, present=given))
        likelihoods = model.log_likelihoods(posterior.draw(noise, 1), batch)
        q = posterior.shared
        kl = (q.weights * model.prior.kl(q.components)).sum(1).mean()
        total = -weighted_sum(model, likelihoods).mean() + kl_warm_up(progress) * self.beta * kl
        return Loss(total, {"kl": kl.detach(), **column_terms(model, likelihoods, batch)})

    def given_mask(self, present: Tensor, noise: RowNoise) -> Tensor:
        """Random mask (B, M) of the present cells that q is given; parts of all sizes are equally likely."""
        chance, share = noise.uniform(2).split(1, dim=1)
        scores = torch.where(present, noise.uniform(present.shape[1]), 1.0)
        part = (scores < share) | (scores == scores.amin(1, keepdim=True))
        return present & (part | (chance >= self.dropout))
