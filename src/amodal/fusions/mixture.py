"""The mixture of all experts that are present."""

from __future__ import annotations

import torch
from torch import Tensor

from amodal.fusions.membership import MembershipTable


class Mixture(MembershipTable):
    """Mixture of experts (Shi et al., arXiv 1911.03393): every expert must explain the whole row alone."""

    def members(self, present: Tensor) -> Tensor:
        """As many products as columns, each of one expert."""
        identity = torch.eye(present.shape[1], dtype=torch.bool, device=present.device)
        return identity[None] & present[:, None]
