"""The Wasserstein barycenter of all experts that are present."""

from __future__ import annotations

import torch
from torch import Tensor

from amodal.distributions import GaussianMixture, Gaussians
from amodal.fusions.fusion import Fusion, entering


class Barycenter(Fusion):
    """The Gaussian nearest to all experts in squared 2-Wasserstein distance (Qiu et al., arXiv 2412.20487).

    Of diagonal Gaussians it has the mean of their means and the mean of their standard deviations: it averages
    where experts say the latent is, and not how sure they are. Agreement does not make it surer than its
    experts, and a sure expert counts no more than an unsure one.

    Example:
        >>> import torch
        >>> from amodal.distributions import Gaussians
        >>> experts = Gaussians(torch.tensor([[[0.0], [3.0]]]), torch.tensor([[[1.0], [3.0]]]).log() * 2)
        >>> joint = Barycenter()(experts, torch.tensor([[True, True]]))
        >>> joint.components.mean.item(), round(joint.components.log_variance.mul(0.5).exp().item(), 3)
        (1.5, 2.0)
    """

    def join(self, experts: Gaussians, present: Tensor) -> GaussianMixture:
        weights = entering(present).to(experts.mean.dtype)
        weights = (weights / weights.sum(1, keepdim=True))[:, :, None]
        deviation = (weights * torch.exp(0.5 * experts.log_variance)).sum(1, keepdim=True)
        joined = Gaussians((weights * experts.mean).sum(1, keepdim=True), 2.0 * torch.log(deviation))
        return GaussianMixture(joined, torch.ones_like(present[:, :1]))
