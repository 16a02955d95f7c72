"""Mixture of products of experts (MoPoE)."""

from __future__ import annotations

import torch
from torch import Tensor

from amodal.distributions import GaussianMixture, Gaussians
from amodal.fusions.membership import MembershipTable
from amodal.fusions.product import Product


class MixtureOfProducts(MembershipTable):
    """Mixture over the nonempty subsets of the present experts of their products (Sutter et al., arXiv 2105.02470).

    M columns have 2^M - 1 subsets. With more than `max_columns` columns the mixture keeps 2M + 1 of them: single
    columns, all but one, and all, so that the cost grows with M.

    Args:
        prior_expert: see `MembershipTable`.
        max_columns: greatest number of columns for which every subset is kept.
    """

    def __init__(self, *, prior_expert: bool, max_columns: int = 8) -> None:
        super().__init__(prior_expert=prior_expert)
        self.max_columns = max_columns

    def conditional(self, experts: Gaussians, present: Tensor) -> GaussianMixture:
        """Product of all given experts, as in the paper; most components of the mixture ignore some of them."""
        return Product(prior_expert=self.prior_expert)(experts, present)

    def members(self, present: Tensor) -> Tensor:
        """One product for each subset whose columns are all present."""
        columns, device = present.shape[1], present.device
        if columns <= self.max_columns:
            numbers = torch.arange(1, 2**columns, device=device)
            subsets = (numbers[:, None] >> torch.arange(columns, device=device)) & 1 == 1
            return subsets[None] & (present[:, None] | ~subsets[None]).all(2, keepdim=True)
        single = torch.eye(columns, dtype=torch.bool, device=device)[None] & present[:, None]
        # All present but one: skipped where that one is absent (the set of all present again), and where only two
        # are present (the single columns again).
        few = present.sum(1)[:, None, None] <= 2
        without = ~torch.eye(columns, dtype=torch.bool, device=device)[None] & present[:, None]
        without = without & present[:, :, None] & ~few
        everything = present[:, None] & (present.sum(1) > 1)[:, None, None]
        return torch.cat([single, without, everything], dim=1)
