"""Learned upsampling by a factor of two."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from amodal.nn.channels_last import channels_last


class PixelShuffleUpsample(nn.Module):
    """Sub-pixel convolution (Shi et al., arXiv 1609.05158): maps (B, I, H, W) to (B, O, 2 H, 2 W).

    It computes what a transposed convolution of kernel 4 and stride 2 does, by a convolution of kernel 2 whose
    outputs are interleaved, which is faster on a CPU. A kernel of two has no middle: it reaches to the neighbours
    before a pixel, or to those after it. Consecutive layers alternate, so that an image is not shifted.

    Args:
        before: I.
        after: O.
        backward: reach to the neighbours before a pixel instead of those after it.
        flat: keep the height; for maps of height 1.
        size: height and width of the output, cropped at the bottom right; by default all of it.
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
        self.factors = (1 if flat else 2, 2)
        self.size = size
        self.convolution = nn.Conv2d(before, after * self.factors[0] * 2, self.factors)

    def forward(self, maps: Tensor) -> Tensor:
        down, right = self.factors
        height, width = self.size or (maps.shape[2] * down, maps.shape[3] * right)
        rows, columns = -(-height // down), -(-width // right)
        padded = nn.functional.pad(maps, self._padding(maps, rows, columns))
        blocks = self.convolution(padded).permute(0, 2, 3, 1)
        # Whole lines are interleaved: single pixels take a CPU several times as long.
        lines = torch.stack(blocks.chunk(down, 3), 2) if down > 1 else blocks
        pixels = lines.reshape(-1, rows * down, columns * right, self.after).permute(0, 3, 1, 2)
        return pixels[:, :, :height, :width]

    def _padding(self, maps: Tensor, rows: int, columns: int) -> list[int]:
        """Zeros left, right, above and below, for `rows` by `columns` windows; negative where maps are larger."""
        padding = []
        for window, windows, pixels in zip(
            self.factors[::-1], (columns, rows), maps.shape[:1:-1], strict=True
        ):
            first = window - 1 if self.backward else 0
            padding += [first, windows + window - 1 - first - pixels]
        return padding


def upsampling_layers(
    widths: Sequence[int], start: tuple[int, int], size: tuple[int, int], *, flat: bool = False
) -> nn.Sequential:
    """An upsampling from each width to the next, with GELU between them, none after the last.

    Args:
        widths: channels of the input and of each output.
        start: height and width of the input.
        size: height and width of the last output.
        flat: see `PixelShuffleUpsample`.
    """
    layers: list[nn.Module] = []
    factors = (1 if flat else 2, 2)
    for number, (before, after) in reversed(list(enumerate(pairwise(widths)))):
        backward = number % 2 == 0
        layer = PixelShuffleUpsample(before, after, backward=backward, flat=flat, size=size)
        layers = [layer, nn.GELU(), *layers]
        size = _input_size(size, start, factors, number, backward)
    return channels_last(nn.Sequential(*layers[:-1]))


def _input_size(
    size: tuple[int, int], start: tuple[int, int], factors: tuple[int, int], number: int, backward: bool
) -> tuple[int, int]:
    """Height and width that a layer after `number` others reads to make `size`, at most what they can make."""

    def side(pixels: int, first: int, factor: int) -> int:
        ahead = 0 if backward else factor - 1
        return min(-(-pixels // factor) + ahead, first * factor**number)

    return side(size[0], start[0], factors[0]), side(size[1], start[1], factors[1])
