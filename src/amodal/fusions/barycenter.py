"""Wasserstein barycenter of experts."""

from __future__ import annotations

import torch
from torch import Tensor

from amodal.distributions import GaussianMixture, Gaussians
from amodal.fusions.fusion import Fusion, present_or_all


class Barycenter(Fusion):
    """Barycenter in squared 2-Wasserstein distance (Qiu et al., arXiv 2412.20487).

    For diagonal Gaussians mean = (1/M) sum_j mean_j and std = (1/M) sum_j std_j, over the M present experts. Agreement
    does not make it surer than its experts, and a sure expert has no more weight than an unsure one.

    Example:
        >>> import torch
        >>> from amodal.distributions import Gaussians
        >>> experts = Gaussians(torch.tensor([[[0.0], [3.0]]]), torch.tensor([[[1.0], [3.0]]]).log() * 2)
        >>> joint = Barycenter()(experts, torch.tensor([[True, True]]))
        >>> joint.components.mean.item(), round(joint.components.log_variance.mul(0.5).exp().item(), 3)
        (1.5, 2.0)
    """

    def join(self, experts: Gaussians, present: Tensor) -> GaussianMixture:
        weights = present_or_all(present).to(experts.mean.dtype)
        weights = (weights / weights.sum(1, keepdim=True))[:, :, None]
        deviation = (weights * torch.exp(0.5 * experts.log_variance)).sum(1, keepdim=True)
        joint = Gaussians((weights * experts.mean).sum(1, keepdim=True), 2.0 * torch.log(deviation))
        return GaussianMixture(joint, torch.ones_like(present[:, :1]))
