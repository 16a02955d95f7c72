"""The evidence lower bound."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from amodal.batch import Batch
from amodal.distributions import RowNoise
from amodal.models.objective import Loss, Objective
from amodal.models.vae.joint_latent import JointLatentVAE
from amodal.models.vae.objectives.terms import column_terms, warm_up, weighed


@dataclass(frozen=True)
class ELBO(Objective[JointLatentVAE]):
    """E_q log p(x | z) - beta KL(q || p), as MoPoE trains it (Sutter et al., arXiv 2105.02470).

    The divergence of a mixture has no closed form; the mean of its components' divergences bounds it from above,
    so that the whole stays a lower bound. For a single product it is exact.

    With `dropout` q is given only a part of some rows, and still answers for all their cells, so that it learns to
    complete (modality dropout: Neverova et al., arXiv 1501.00102). A looser bound, and a bound all the same.
    An encoder of many columns at once needs it: few rows of a table show one column alone.

    Attributes:
        beta: weight of the divergence.
        dropout: share of the rows of which q is given a random part, of one cell at least.
    """

    beta: float = 1.0
    dropout: float = 0.0

    def __call__(self, model: JointLatentVAE, batch: Batch, noise: RowNoise, progress: float = 1.0) -> Loss:
        kl_weight = warm_up(progress)
        given = self.given(batch.present, noise) if self.dropout else batch.present
        posterior = model.posterior(replace(batch, present=given))
        likelihoods = model.log_likelihoods(posterior.draw(noise, 1), batch)
        kl = (posterior.weights * model.prior.kl(posterior.components)).sum(1).mean()
        total = -weighed(model, likelihoods).mean() + kl_weight * self.beta * kl
        return Loss(total, {"kl": kl.detach(), **column_terms(model, likelihoods, batch)})

    def given(self, present: Tensor, noise: RowNoise) -> Tensor:
        """What q is given of cells that are present, boolean (B, M): parts of all sizes equally often."""
        chance, share = noise.uniform(2).split(1, dim=1)
        place = torch.where(present, noise.uniform(present.shape[1]), 1.0)
        part = (place < share) | (place == place.amin(1, keepdim=True))
        return present & (part | (chance >= self.dropout))
