"""Layers that make maps smaller, by products of matrices, which a processor is fastest at in bfloat16."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from amodal.nn.channels_last import channels_last


class PatchStem(nn.Module):
    """Cells (B, C, H, W) to a vector a patch, (B, H', W', O): H' is H over the patch's height, rounded up.

    Each vector is read of a window twice as large as its patch, so that neighbours overlap by half (Wu et al.,
    arXiv 2103.15808); outside the cell are zeros.

    Args:
        channels: C.
        width: O.
        patch: height and width of a patch; 1 leaves a side as it is.
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


class Merging(nn.Module):
    """Maps (B, H, W, I) to (B, H / 2, W / 2, O), rounded up: four neighbouring vectors become one.

    As in Liu et al., arXiv 2103.14030.

    Args:
        before: I.
        after: O.
        flat: leave the height as it is, and join pairs.
    """

    def __init__(self, before: int, after: int, *, flat: bool = False) -> None:
        super().__init__()
        self.times = (1 if flat else 2, 2)
        self.linear = nn.Linear(before * self.times[0] * 2, after)

    def forward(self, maps: Tensor) -> Tensor:
        down, right = self.times
        padded = functional.pad(maps, (0, 0, 0, -maps.shape[2] % right, 0, -maps.shape[1] % down))
        blocks = padded.unflatten(2, (-1, right)).unflatten(1, (-1, down)).transpose(2, 3)
        return self.linear(blocks.flatten(3))


class MapNorm(nn.Module):
    """Each row's whole map to mean 0 and variance 1: group normalisation of one group (Wu & He, arXiv 1803.08494)."""

    def forward(self, maps: Tensor) -> Tensor:
        flat = maps.flatten(1)
        return functional.layer_norm(flat, flat.shape[1:]).view_as(maps)


def joined_patches(
    channels: int, widths: Sequence[int], patch: tuple[int, int], *, flat: bool = False
) -> nn.Sequential:
    """A stem of patches, and a merging to each further width; each normalised, with GELU.

    Args:
        channels: of what goes in, (B, C, H, W).
        widths: of what the stem and each merging make, (B, H', W', O).
        patch: see `PatchStem`.
        flat: see `Merging`.
    """
    layers: list[nn.Module] = [PatchStem(channels, widths[0], patch), MapNorm(), nn.GELU()]
    for before, after in pairwise(widths):
        layers += [Merging(before, after, flat=flat), MapNorm(), nn.GELU()]
    return nn.Sequential(*layers)


def halvings_to(smallest: int, side: int) -> int:
    """How often a side is halved, and rounded up, until it is at most the smallest.

    Example:
        >>> halvings_to(4, 28), halvings_to(4, 4)
        (3, 0)
    """
    count = 0
    while side > smallest:
        side = (side + 1) // 2
        count += 1
    return count
