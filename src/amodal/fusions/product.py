"""Product of experts (PoE)."""

from __future__ import annotations

from torch import Tensor

from amodal.fusions.membership import MembershipTable


class Product(MembershipTable):
    """Product of experts, q(z | x) prop. to prod_j q_j(z | x_j) (Wu & Goodman, arXiv 1802.05335).

    Sharp, and dominated by the surest expert. Precisions add up: 1 / var = sum_j 1 / var_j.

    Example:
        >>> import torch
        >>> from amodal.distributions import Gaussians
        >>> experts = Gaussians(torch.tensor([[[0.0], [3.0]]]), torch.zeros(1, 2, 1))
        >>> joint = Product(prior_expert=True)(experts, torch.tensor([[True, True]]))
        >>> joint.components.mean.item(), round(joint.components.log_variance.exp().item(), 3)
        (1.0, 0.333)
    """

    def members(self, present: Tensor) -> Tensor:
        """One product, of all present experts."""
        return present[:, None]
