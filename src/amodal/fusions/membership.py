"""The arithmetic shared by all rules of the product and mixture family."""

from __future__ import annotations

from abc import abstractmethod

import torch
from torch import Tensor

from amodal.distributions import GaussianMixture, Gaussians
from amodal.fusions.fusion import Fusion


class MembershipTable(Fusion):
    """A rule that is its membership table: `members` says which experts enter which product.

    The posterior is the even mixture of these products, as in the generalised product of experts of Cao & Fleet
    (arXiv 1410.7827) and the mixture of products of Sutter et al. (arXiv 2105.02470).

    Args:
        prior_expert: whether the standard normal prior enters every product as one more expert.
    """

    def __init__(self, *, prior_expert: bool) -> None:
        super().__init__()
        self.prior_expert = prior_expert

    @abstractmethod
    def members(self, present: Tensor) -> Tensor:
        """Which experts enter which product.

        Args:
            present: boolean (B, M).

        Returns:
            Boolean (B, K, M), true only where `present` is. A product without a member is not in the mixture.
        """

    def join(self, experts: Gaussians, present: Tensor) -> GaussianMixture:
        precision = torch.exp(-experts.log_variance)
        members = self.members(present)
        active = members.any(2)
        active = active | (~active.any(1, keepdim=True) & _first(active))
        chosen = members.to(precision.dtype)
        of_prior = torch.ones_like(active) if self.prior_expert else ~members.any(2)
        total = chosen @ precision + of_prior[:, :, None].to(precision.dtype)
        joined = Gaussians((chosen @ (precision * experts.mean)) / total, -torch.log(total))
        return GaussianMixture(joined, active)


def _first(active: Tensor) -> Tensor:
    """Marks the first product of each row, which stands for the prior where nothing is present."""
    return torch.arange(active.shape[1], device=active.device)[None] == 0
