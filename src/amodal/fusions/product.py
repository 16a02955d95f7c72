"""The product of all experts that are present."""

from __future__ import annotations

from torch import Tensor

from amodal.fusions.membership import MembershipTable


class Product(MembershipTable):
    """Product of experts (Wu & Goodman, arXiv 1802.05335): sharp, and led by the surest expert.

    Example:
        >>> import torch
        >>> from amodal.distributions import Gaussians
        >>> experts = Gaussians(torch.tensor([[[0.0], [3.0]]]), torch.zeros(1, 2, 1))
        >>> joint = Product(prior_expert=True)(experts, torch.tensor([[True, True]]))
        >>> joint.components.mean.item(), round(joint.components.log_variance.exp().item(), 3)
        (1.0, 0.333)
    """

    def members(self, present: Tensor) -> Tensor:
        """One product, of all that is present."""
        return present[:, None]
