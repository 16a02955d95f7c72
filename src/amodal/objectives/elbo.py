"""The evidence lower bound."""

from __future__ import annotations

from dataclasses import dataclass

from amodal.batch import Batch
from amodal.distributions import RowNoise
from amodal.models import JointLatentVAE
from amodal.objectives.objective import Loss, Objective, column_terms, warm_up, weighed


@dataclass(frozen=True)
class ELBO(Objective[JointLatentVAE]):
    """E_q log p(x | z) - beta KL(q || p), as MoPoE trains it (Sutter et al., arXiv 2105.02470).

    The divergence of a mixture has no closed form; the mean of its components' divergences bounds it from above,
    so that the whole stays a lower bound. For a single product it is exact.

    Attributes:
        beta: weight of the divergence.
    """

    beta: float = 1.0

    def __call__(self, model: JointLatentVAE, batch: Batch, noise: RowNoise, progress: float = 1.0) -> Loss:
        kl_weight = warm_up(progress)
        posterior = model.posterior(batch)
        likelihoods = model.log_likelihoods(posterior.draw(noise, 1), batch)
        kl = (posterior.weights * model.prior.kl(posterior.components)).sum(1).mean()
        total = -weighed(model, likelihoods).mean() + kl_weight * self.beta * kl
        return Loss(total, {"kl": kl.detach(), **column_terms(model, likelihoods, batch)})
