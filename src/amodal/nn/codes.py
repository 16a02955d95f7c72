"""Embeddings of cells that are mixtures of a few codes, of many columns at once."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

_KNOT_NOISE = 0.2
_PART_SCALE = 0.3


class CodeEncoder(nn.Module, ABC):
    """Weighted sums of a column's learned vectors, of which few have a weight.

    Args:
        start: (codes, features), the vectors before training.
    """

    def __init__(self, start: Tensor) -> None:
        super().__init__()
        self.table = nn.Parameter(start)

    @abstractmethod
    def codes(self, cells: Tensor) -> tuple[Tensor, Tensor]:
        """Numbers of vectors, integer (B, J), and their weights (B, J), of cells (B,)."""

    def forward(self, cells: Tensor) -> Tensor:
        """Features (B, F) of cells (B,)."""
        return embed_columns([self], [cells])[:, 0]


class LabelEncoder(CodeEncoder):
    """Labels (B,) to features (B, F): a vector each.

    Args:
        labels: number of labels.
        features: F.
    """

    def __init__(self, labels: int, features: int) -> None:
        super().__init__(torch.randn(labels, features))

    def codes(self, cells: Tensor) -> tuple[Tensor, Tensor]:
        return cells.long()[:, None], torch.ones(len(cells), 1, device=cells.device)


class RankEncoder(CodeEncoder):
    """Normal quantiles (B,) to features (B, F), piecewise linear in the rank (Gorishniy et al., arXiv 2203.05556).

    Args:
        knots: ascending ranks, 0 to 1, between which features are linear.
        features: F.
    """

    knots: Tensor

    def __init__(self, knots: Sequence[float], features: int) -> None:
        ranks = torch.tensor(knots, dtype=torch.float32)
        # Begun as a line, standardised as a uniform rank is with mean 1/2 and variance 1/12.
        line = (ranks[:, None] - 0.5) * math.sqrt(12.0) * torch.randn(features)
        super().__init__(line + _KNOT_NOISE * torch.randn(len(ranks), features))
        self.register_buffer("knots", ranks, persistent=False)

    def codes(self, cells: Tensor) -> tuple[Tensor, Tensor]:
        """The knots around each number, with the weights of linear interpolation."""
        if len(self.knots) == 1:
            return torch.zeros_like(cells, dtype=torch.int64)[:, None], torch.ones_like(cells)[:, None]
        ranks = torch.special.ndtr(cells)
        upper = torch.searchsorted(self.knots, ranks.contiguous()).clamp(1, len(self.knots) - 1)
        low, high = self.knots[upper - 1], self.knots[upper]
        share = ((ranks - low) / (high - low)).clamp(0.0, 1.0)
        return torch.stack([upper - 1, upper], 1), torch.stack([1.0 - share, share], 1)


class CalendarEncoder(RankEncoder):
    """Normal quantiles (B,) of dates to features (B, F): those of the rank, and vectors of calendar parts.

    Args:
        knots: see `RankEncoder`.
        features: F.
        sizes: number of values of each of P parts, as 12 months.
        parts: called with quantiles (B,), gives the parts, int64 (B, P).
    """

    starts: Tensor

    def __init__(
        self, knots: Sequence[float], features: int, sizes: Sequence[int], parts: Callable[[Tensor], Tensor]
    ) -> None:
        super().__init__(knots, features)
        self.parts = parts
        own = _PART_SCALE * torch.randn(sum(sizes), features)
        self.table = nn.Parameter(torch.cat([self.table.detach(), own]))
        starts = torch.tensor([len(self.knots), *sizes]).cumsum(0)[:-1]
        self.register_buffer("starts", starts, persistent=False)

    def codes(self, cells: Tensor) -> tuple[Tensor, Tensor]:
        """The knots around each number, and its calendar parts."""
        numbers, weights = super().codes(cells)
        parts = self.parts(cells) + self.starts
        return torch.cat([numbers, parts], 1), torch.cat(
            [weights, torch.ones_like(parts, dtype=weights.dtype)], 1
        )


def embed_columns(encoders: Sequence[CodeEncoder], cells: Sequence[Tensor]) -> Tensor:
    """Features (B, M, F) of the cells of M columns, looked up in all their tables at once."""
    numbers, weights, sizes, start = [], [], [], 0
    for encoder, column in zip(encoders, cells, strict=True):
        number, weight = encoder.codes(column)
        numbers.append(number + start)
        weights.append(weight)
        sizes.append(number.shape[1])
        start += len(encoder.table)
    tables = torch.cat([encoder.table for encoder in encoders])
    vectors = nn.functional.embedding(torch.cat(numbers, 1), tables) * torch.cat(weights, 1)[..., None]
    if max(sizes) == 1:
        return vectors
    owner = torch.repeat_interleave(torch.arange(len(sizes)), torch.tensor(sizes)).to(vectors.device)
    return vectors.new_zeros(len(vectors), len(sizes), vectors.shape[2]).index_add(1, owner, vectors)
