"""The network that makes one context of whichever columns are given."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class ContextNetwork(nn.Module):
    """Features of the given cells to one context a row, whatever is given.

    Each column's features go through a linear map of its own and are summed over what is given: a linear map of
    all features side by side, in which an absent column has no part (Zaheer et al., arXiv 1703.06114).

    Args:
        columns: M.
        features: F, size of a column's features.
        context: C, size of the context.
        blocks: residual blocks after the sum.
    """

    def __init__(self, columns: int, features: int, context: int, blocks: int = 2) -> None:
        super().__init__()
        self.columns = nn.ModuleList(
            nn.Sequential(nn.LayerNorm(features), nn.Linear(features, context)) for _ in range(columns)
        )
        self.nothing = nn.Parameter(torch.zeros(context))
        self.blocks = nn.ModuleList(_Residual(context) for _ in range(blocks))
        self.norm = nn.LayerNorm(context)

    def forward(self, told: Tensor, given: Tensor) -> Tensor:
        """The context (B, C) of what columns add, (B, M, C), where given is true, boolean (B, M)."""
        count = given.sum(1, keepdim=True).clamp_min(1)
        total = torch.where(given[:, :, None], told, 0.0).sum(1)
        state = self.nothing + total / count.sqrt()
        for block in self.blocks:
            state = block(state)
        return self.norm(state)


class _Residual(nn.Module):
    def __init__(self, size: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.LayerNorm(size), nn.Linear(size, 2 * size), nn.GELU(), nn.Linear(2 * size, size)
        )

    def forward(self, state: Tensor) -> Tensor:
        return state + self.layers(state)
