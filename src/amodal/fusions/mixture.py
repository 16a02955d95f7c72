"""Mixture of experts (MoE)."""

from __future__ import annotations

import torch
from torch import Tensor

from amodal.fusions.membership import MembershipTable


class Mixture(MembershipTable):
    """Mixture of experts, q(z | x) = (1/M) sum_j q_j(z | x_j) (Shi et al., arXiv 1911.03393).

    Every expert must explain the whole row alone.
    """

    def members(self, present: Tensor) -> Tensor:
        """M products, each of one expert."""
        identity = torch.eye(present.shape[1], dtype=torch.bool, device=present.device)
        return identity[None] & present[:, None]
