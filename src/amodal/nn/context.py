"""Permutation-invariant pooling of the given columns to one context vector."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class ContextNetwork(nn.Module):
    """Embeddings of a row's given cells to one context vector, for any subset of the columns.

    Each column's features pass a linear map of its own, `columns[m]`, to an embedding e_m. The context is
    `refine(null_embedding + sum_m e_m / sqrt(n))` over the n given columns (deep sets: Zaheer et al.,
    arXiv 1703.06114): a column that is not given has no part in it.

    Args:
        columns: M.
        features: F, size of a column's features.
        context: C, size of an embedding and of the context.
        blocks: number of residual blocks after the sum.

    Attributes:
        null_embedding: (C,), the sum's value with no column given.
    """

    def __init__(self, columns: int, features: int, context: int, blocks: int = 2) -> None:
        super().__init__()
        self.columns = nn.ModuleList(
            nn.Sequential(nn.LayerNorm(features), nn.Linear(features, context)) for _ in range(columns)
        )
        self.null_embedding = nn.Parameter(torch.zeros(context))
        self.blocks = nn.ModuleList(_Residual(context) for _ in range(blocks))
        self.norm = nn.LayerNorm(context)

    def forward(self, embeddings: Tensor, given: Tensor) -> Tensor:
        """Context vectors (..., B, C) of column embeddings (B, M, C), where `given` (..., B, M) is true.

        The embedding of an absent cell must be finite.
        """
        weight = given / given.sum(-1, keepdim=True).clamp_min(1).sqrt()
        total = torch.einsum("...bm,bmc->...bc", weight, embeddings)
        return self._refine(self.null_embedding + total)

    def null_context(self) -> Tensor:
        """Context (1, C) of a row with no cell given."""
        return self._refine(self.null_embedding[None])

    def _refine(self, state: Tensor) -> Tensor:
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
