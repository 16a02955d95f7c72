"""Bound with a mixture of the experts as the prior of each (MMVM)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from amodal.batch import Batch
from amodal.distributions import Gaussians, RowNoise
from amodal.models.objective import Loss, Objective
from amodal.models.vae.multimodal_vae import MultimodalVAE
from amodal.models.vae.objectives.terms import column_terms, kl_warm_up


@dataclass(frozen=True)
class MixturePrior(Objective[MultimodalVAE]):
    """Sum over present m of E_{q_m} log p(x_m | z) - beta KL(q_m || mixture of the present q_n and the prior).

    The objective of MMVM (Sutter et al., arXiv 2403.05300). There is no joint posterior: each column is decoded
    from its own expert, and the experts are softly aligned. As in the paper's released code:

    - The divergence from the mixture is replaced by its upper bound, the mean divergence from its members. The exact
      one is at most the logarithm of their number, since q_m is a member: it stops pulling at experts that are far
      apart, and never aligns them.
    - The standard normal is a member, which that code leaves as an option: new rows are drawn from where latents
      lie, and a cell that is alone in its row is regularised too.

    Attributes:
        beta: weight of the divergences.
    """

    beta: float = 1.0

    def __call__(self, model: MultimodalVAE, batch: Batch, noise: RowNoise, progress: float = 1.0) -> Loss:
        mask, experts = batch.present[:, :, None], model.encode(batch)
        experts = Gaussians(
            torch.where(mask, experts.mean, 0.0), torch.where(mask, experts.log_variance, 0.0)
        )
        z = experts.mean + torch.exp(0.5 * experts.log_variance) * noise.normal(*experts.mean.shape[1:])
        own = [model.column_log_likelihood(index, z[:, index, None], batch) for index in range(z.shape[1])]
        likelihoods = torch.stack(own, dim=2)
        kl = self._divergence(model, experts, batch.present)
        fit = (likelihoods[:, 0] * model.weights).sum(1)
        total = (kl_warm_up(progress) * self.beta * kl - fit).mean()
        return Loss(total, {"kl": kl.mean().detach(), **column_terms(model, likelihoods, batch)})

    @staticmethod
    def _divergence(model: MultimodalVAE, experts: Gaussians, present: Tensor) -> Tensor:
        """Sum over the present m of the mean divergence of q_m from the present q_n and the prior, (B,)."""
        pairs = present[:, :, None] & present[:, None]
        between = torch.where(pairs, experts[:, :, None].kl(experts[:, None]), 0.0).sum(2)
        from_prior = torch.where(present, model.prior.kl(experts), 0.0)
        return ((between + from_prior) / (present.sum(1, keepdim=True) + 1)).sum(1)
