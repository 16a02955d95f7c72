"""Patch embedding and patch merging: downsampling by matrix products, the fastest way on a CPU in bfloat16."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from amodal.nn.channels_last import channels_last


class PatchStem(nn.Module):
    """Overlapping patch embedding: (B, C, H, W) to (B, H', W', O), with H' = ceil(H / patch height).

    A window is twice as large as its patch, so that neighbours overlap by half (Wu et al., arXiv 2103.15808);
    the border is padded with zeros.

    Args:
        channels: C.
        width: O.
        patch: height and width of a patch; 1 leaves a side unchanged.
    """

    def __init__(self, channels: int, width: int, patch: tuple[int, int]) -> None:
        super().__init__()
        self.patch = patch
        down, right = (2 * side if side > 1 else 1 for side in patch)
        self.convolution = channels_last(nn.Conv2d(channels, width, (down, right), stride=patch))

    def forward(self, cells: Tensor) -> Tensor:
        padding = []
        for size, side in zip(cells.shape[:1:-1], self.patch[::-1], strict=True):
            before, after = (side // 2, side - side // 2) if side > 1 else (0, 0)
            padding += [before, after + -size % side]
        padded = functional.pad(cells.contiguous(memory_format=torch.channels_last), padding)
        return self.convolution(padded).permute(0, 2, 3, 1)


class PatchMerging(nn.Module):
    """Patch merging of Swin (Liu et al., arXiv 2103.14030): (B, H, W, I) to (B, ceil(H / 2), ceil(W / 2), O).

    Args:
        before: I.
        after: O.
        flat: keep the height and merge pairs along the width.
    """

    def __init__(self, before: int, after: int, *, flat: bool = False) -> None:
        super().__init__()
        self.factors = (1 if flat else 2, 2)
        self.linear = nn.Linear(before * self.factors[0] * 2, after)

    def forward(self, maps: Tensor) -> Tensor:
        down, right = self.factors
        padded = functional.pad(maps, (0, 0, 0, -maps.shape[2] % right, 0, -maps.shape[1] % down))
        blocks = padded.unflatten(2, (-1, right)).unflatten(1, (-1, down)).transpose(2, 3)
        return self.linear(blocks.flatten(3))


class GroupNorm1(nn.Module):
    """`nn.GroupNorm(1, C, affine=False)` (Wu & He, arXiv 1803.08494) of maps laid out (B, H, W, C)."""

    def forward(self, maps: Tensor) -> Tensor:
        # The same statistics, without the two permutations that nn.GroupNorm would need.
        return functional.layer_norm(maps, maps.shape[1:])


class PatchEncoder(nn.Sequential):
    """A patch embedding, then a patch merging to each further width; each normalised, with GELU.

    Args:
        channels: C of the input (B, C, H, W).
        widths: output widths of the embedding and of each merging.
        patch: see `PatchStem`.
        flat: see `PatchMerging`.
    """

    def __init__(
        self, channels: int, widths: Sequence[int], patch: tuple[int, int], *, flat: bool = False
    ) -> None:
        layers: list[nn.Module] = [PatchStem(channels, widths[0], patch), GroupNorm1(), nn.GELU()]
        for before, after in pairwise(widths):
            layers += [PatchMerging(before, after, flat=flat), GroupNorm1(), nn.GELU()]
        super().__init__(*layers)


def num_halvings(smallest: int, side: int) -> int:
    """Number of halvings, each rounded up, that bring a side down to at most `smallest`.

    Example:
        >>> num_halvings(4, 28), num_halvings(4, 4)
        (3, 0)
    """
    count = 0
    while side > smallest:
        side = (side + 1) // 2
        count += 1
    return count
