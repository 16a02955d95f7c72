"""The mixture of the products of subsets of what is present."""

from __future__ import annotations

import torch
from torch import Tensor

from amodal.distributions import GaussianMixture, Gaussians
from amodal.fusions.membership import MembershipTable
from amodal.fusions.product import Product


class MixtureOfProducts(MembershipTable):
    """Mixture of products of experts (Sutter et al., arXiv 2105.02470), over all subsets of what is present.

    The subsets of M columns are 2^M - 1. With more than `most` columns the mixture keeps three kinds: single
    columns, all but one, and all together, 2M + 1 in number, so that cost grows with M and the order
    of the columns still does not matter.

    Args:
        prior_expert: see `MembershipTable`.
        most: up to how many columns every subset is taken.
    """

    def __init__(self, *, prior_expert: bool, most: int = 8) -> None:
        super().__init__(prior_expert=prior_expert)
        self.most = most

    def conditional(self, experts: Gaussians, present: Tensor) -> GaussianMixture:
        """The product of all that is given, as the paper has it: the mixture draws most latents from a part of it."""
        return Product(prior_expert=self.prior_expert)(experts, present)

    def members(self, present: Tensor) -> Tensor:
        """One product for each subset of the columns that is wholly present."""
        columns, device = present.shape[1], present.device
        if columns <= self.most:
            numbers = torch.arange(1, 2**columns, device=device)
            subsets = (numbers[:, None] >> torch.arange(columns, device=device)) & 1 == 1
            return subsets[None] & (present[:, None] | ~subsets[None]).all(2, keepdim=True)
        single = torch.eye(columns, dtype=torch.bool, device=device)[None] & present[:, None]
        # All but one of what is present: not counted where that one is absent (it would be all that is present
        # once more) or where only two are present (the single ones once more).
        few = present.sum(1)[:, None, None] <= 2
        without = ~torch.eye(columns, dtype=torch.bool, device=device)[None] & present[:, None]
        without = without & present[:, :, None] & ~few
        everything = present[:, None] & (present.sum(1) > 1)[:, None, None]
        return torch.cat([single, without, everything], dim=1)
