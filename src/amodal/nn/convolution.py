"""Convolutional networks for pictures of any size."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

_SMALLEST = 4


def _halvings(height: int, width: int) -> int:
    """How often a picture is halved until its longer side is about four."""
    count, side = 0, max(height, width)
    while side > _SMALLEST:
        side = (side + 1) // 2
        count += 1
    return count


def channels_last(network: nn.Sequential) -> nn.Sequential:
    """Lay the weights out pixel by pixel, which convolutions run fastest on."""
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def _widths(halvings: int, base: int) -> list[int]:
    """Channels after each halving: doubled each time, up to eight times the base."""
    return [base * 2 ** min(level, 3) for level in range(halvings)]


class GroupNorm(nn.GroupNorm):
    """Group normalisation in float32: on a processor bfloat16's, pixel by pixel, is five times slower."""

    def forward(self, maps: Tensor) -> Tensor:
        return super().forward(maps.float())


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
    """

    def __init__(self, before: int, after: int, *, backward: bool, flat: bool = False) -> None:
        super().__init__()
        self.after = after
        self.times = (1 if flat else 2, 2)
        self.convolution = nn.Conv2d(before, after * self.times[0] * 2, self.times)
        side = (1, 0) if backward else (0, 1)
        self.padding = (*side, *((0, 0) if flat else side))

    def forward(self, maps: Tensor) -> Tensor:
        maps = self.convolution(nn.functional.pad(maps, self.padding)).permute(0, 2, 3, 1)
        batch, height, width, _ = maps.shape
        down, right = self.times
        pixels = maps.reshape(batch, height, width, down, right, self.after).transpose(2, 3)
        return pixels.reshape(batch, height * down, width * right, self.after).permute(0, 3, 1, 2)


def doublings(widths: Sequence[int], *, flat: bool = False) -> nn.Sequential:
    """Doublings from each width to the next, with GELU between them, none after the last."""
    layers: list[nn.Module] = []
    for number, (before, after) in enumerate(pairwise(widths)):
        layers += [Doubling(before, after, backward=number % 2 == 0, flat=flat), nn.GELU()]
    return channels_last(nn.Sequential(*layers[:-1]))


class ImageEncoder(nn.Module):
    """Pictures (B, C, H, W) in [0, 1] to features (B, F), by convolutions that halve the picture.

    Args:
        channels: C.
        height: H.
        width: W.
        features: F.
        base: channels after the first convolution, a multiple of 8.
    """

    def __init__(self, channels: int, height: int, width: int, features: int, base: int = 16) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        before = channels
        for after in _widths(_halvings(height, width), base):
            # Ceiling division: an odd side keeps its last row and column.
            layers += [nn.Conv2d(before, after, 3, stride=2, padding=1), GroupNorm(8, after), nn.GELU()]
            before, height, width = after, (height + 1) // 2, (width + 1) // 2
        self.convolutions = channels_last(nn.Sequential(*layers))
        self.head = nn.Sequential(nn.Linear(before * height * width, features), nn.GELU())

    def forward(self, pictures: Tensor) -> Tensor:
        maps = self.convolutions((pictures - 0.5).contiguous(memory_format=torch.channels_last))
        # Pixel by pixel, as they lie: the gradient that comes back then lies so too.
        return self.head(maps.permute(0, 2, 3, 1).flatten(1))


class ImageDecoder(nn.Module):
    """Latents (B, D) to pictures (B, C, H, W) in [0, 1], by convolutions that double the picture.

    Args:
        latent: D.
        channels: C.
        height: H.
        width: W.
        base: channels before the last convolution.
    """

    def __init__(self, latent: int, channels: int, height: int, width: int, base: int = 24) -> None:
        super().__init__()
        halvings = _halvings(height, width)
        self.size = (height, width)
        self.start = (-(-height // 2**halvings), -(-width // 2**halvings))
        widths = _widths(halvings, base)[::-1] or [base]
        self.widest = widths[0]
        self.stem = nn.Sequential(nn.Linear(latent, self.widest * self.start[0] * self.start[1]), nn.GELU())
        self.convolutions = (
            doublings([*widths, channels]) if halvings else nn.Conv2d(self.widest, channels, 1)
        )

    def forward(self, latents: Tensor) -> Tensor:
        maps = self.stem(latents).view(-1, self.widest, *self.start)
        pictures = self.convolutions(maps.contiguous(memory_format=torch.channels_last))
        height, width = self.size
        return torch.sigmoid(pictures[:, :, :height, :width]).contiguous()
