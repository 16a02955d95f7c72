"""Fusion rules of the product and mixture family, given by a membership table."""

from __future__ import annotations

from abc import abstractmethod

import torch
from torch import Tensor

from amodal.distributions import GaussianMixture, Gaussians
from amodal.fusions.fusion import Fusion


class MembershipTable(Fusion):
    """Uniform mixture of products of experts, q(z | x) = (1/K) sum_k prod_{j in S_k} q_j(z | x_j).

    A rule is its table of the sets S_k, `members` (Cao & Fleet, arXiv 1410.7827; Sutter et al., arXiv 2105.02470).

    Args:
        prior_expert: multiply each product by the prior N(0, I), as one more expert.
    """

    def __init__(self, *, prior_expert: bool) -> None:
        super().__init__()
        self.prior_expert = prior_expert

    @abstractmethod
    def members(self, present: Tensor) -> Tensor:
        """Membership table: boolean (B, K, M), true where expert m is a factor of product k.

        Args:
            present: boolean (B, M). An absent expert is never a member, and a product without members is not in
                the mixture.
        """

    def join(self, experts: Gaussians, present: Tensor) -> GaussianMixture:
        precision = torch.exp(-experts.log_variance)
        members = self.members(present)
        nonempty = members.any(2)
        # In a row with nothing present the first product is the prior.
        first = torch.arange(members.shape[1], device=present.device)[None] == 0
        active = nonempty | (~nonempty.any(1, keepdim=True) & first)
        factors = members.to(precision.dtype)
        prior = torch.ones_like(nonempty) if self.prior_expert else ~nonempty
        total = factors @ precision + prior[:, :, None].to(precision.dtype)
        products = Gaussians((factors @ (precision * experts.mean)) / total, -torch.log(total))
        return GaussianMixture(products, active)
