"""The arithmetic shared by all rules of the product and mixture family."""

from __future__ import annotations

from abc import abstractmethod

import torch
from torch import Tensor, nn

from amodal.distributions import GaussianMixture, Gaussians


class Fusion(nn.Module):
    """Joins one Gaussian expert a column to the joint posterior q(z | what is present).

    A rule is its membership table: `members` says which experts enter which product. The posterior is the
    even mixture of these products, as in the generalised product of experts of Cao & Fleet (arXiv 1410.7827)
    and the mixture of products of Sutter et al. (arXiv 2105.02470).

    Every rule keeps this contract: an absent expert has no effect and exactly zero gradient, even where its
    values are NaN; a row with nothing present gets the prior, a standard normal; the order of the columns does
    not matter.

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

    def forward(self, experts: Gaussians, present: Tensor) -> GaussianMixture:
        """Join experts of shape (B, M, D) to one mixture a row."""
        # Absent values are replaced before any arithmetic: zero times NaN would still be NaN.
        shown = present[:, :, None]
        mean = torch.where(shown, experts.mean, 0.0)
        precision = torch.exp(-torch.where(shown, experts.log_variance, 0.0))

        members = self.members(present)
        active = members.any(2)
        active = active | (~active.any(1, keepdim=True) & _first(active))
        chosen = members.to(mean.dtype)
        of_prior = torch.ones_like(active) if self.prior_expert else ~members.any(2)
        total = chosen @ precision + of_prior[:, :, None].to(mean.dtype)
        joined = Gaussians((chosen @ (precision * mean)) / total, -torch.log(total))
        return GaussianMixture(joined, active)


def _first(active: Tensor) -> Tensor:
    """Marks the first product of each row, which stands for the prior where nothing is present."""
    return torch.arange(active.shape[1], device=active.device)[None] == 0
