"""Layers that double maps."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from amodal.nn.channels_last import channels_last


class Doubling(nn.Module):
    """Maps (B, I, H, W) to (B, O, 2 H, 2 W): a convolution gives each pixel the four that take its place.

    It does what a transposed convolution of kernel 4 and stride 2 does, by a convolution of kernel 2 whose outputs
    are put side by side (sub-pixel convolution: Shi et al., arXiv 1609.05158), which is the faster on a processor.
    A window of two has no middle: it takes the neighbours before a pixel, or those after it, and layers in a row
    take turns, so that a picture stays where it is.

    Args:
        before: I.
        after: O.
        backward: whether a window holds the neighbours before a pixel; otherwise those after it.
        flat: leave the height as it is; for maps of height 1.
        size: height and width of what is made, where not all of it is wanted: its first rows and columns.
    """

    def __init__(
        self,
        before: int,
        after: int,
        *,
        backward: bool,
        flat: bool = False,
        size: tuple[int, int] | None = None,
    ) -> None:
        super().__init__()
        self.after = after
        self.backward = backward
        self.times = (1 if flat else 2, 2)
        self.size = size
        self.convolution = nn.Conv2d(before, after * self.times[0] * 2, self.times)

    def forward(self, maps: Tensor) -> Tensor:
        down, right = self.times
        height, width = self.size or (maps.shape[2] * down, maps.shape[3] * right)
        rows, columns = -(-height // down), -(-width // right)
        padded = nn.functional.pad(maps, self._padding(maps, rows, columns))
        blocks = self.convolution(padded).permute(0, 2, 3, 1)
        # An upper and a lower row of each block, as long pieces: single pixels take a processor several times as long.
        lines = torch.stack(blocks.chunk(down, 3), 2) if down > 1 else blocks
        pixels = lines.reshape(-1, rows * down, columns * right, self.after).permute(0, 3, 1, 2)
        return pixels[:, :, :height, :width]

    def _padding(self, maps: Tensor, rows: int, columns: int) -> list[int]:
        """Zeros left and right, above and below, for so many windows; below none where maps have more."""
        padding = []
        for window, windows, pixels in zip(self.times[::-1], (columns, rows), maps.shape[:1:-1], strict=True):
            first = window - 1 if self.backward else 0
            padding += [first, windows + window - 1 - first - pixels]
        return padding


def doublings(
    widths: Sequence[int], start: tuple[int, int], size: tuple[int, int], *, flat: bool = False
) -> nn.Sequential:
    """Doublings from each width to the next, with GELU between them, none after the last.

    Args:
        widths: channels of what goes in, and of what each makes.
        start: height and width of what goes in.
        size: those of what the last one makes.
        flat: see `Doubling`.
    """
    layers: list[nn.Module] = []
    times = (1 if flat else 2, 2)
    for number, (before, after) in reversed(list(enumerate(pairwise(widths)))):
        backward = number % 2 == 0
        layers = [Doubling(before, after, backward=backward, flat=flat, size=size), nn.GELU(), *layers]
        size = _reached(size, start, times, number, backward)
    return channels_last(nn.Sequential(*layers[:-1]))


def _reached(
    size: tuple[int, int], start: tuple[int, int], times: tuple[int, int], number: int, backward: bool
) -> tuple[int, int]:
    """Height and width that a doubling's windows reach to make `size`; `number` doublings before it make no more."""

    def side(pixels: int, first: int, by: int) -> int:
        ahead = 0 if backward else by - 1
        return min(-(-pixels // by) + ahead, first * by**number)

    return side(size[0], start[0], times[0]), side(size[1], start[1], times[1])
