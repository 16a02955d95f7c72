"""Convolutional networks for pictures of any size."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from amodal.nn.channels_last import GroupNorm, channels_last
from amodal.nn.doubling import doublings

_SMALLEST = 4


def _halvings(height: int, width: int) -> int:
    """How often a picture is halved until its longer side is about four."""
    count, side = 0, max(height, width)
    while side > _SMALLEST:
        side = (side + 1) // 2
        count += 1
    return count


def _widths(halvings: int, base: int) -> list[int]:
    """Channels after each halving: doubled each time, up to eight times the base."""
    return [base * 2 ** min(level, 3) for level in range(halvings)]


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
        self.start = (-(-height // 2**halvings), -(-width // 2**halvings))
        widths = _widths(halvings, base)[::-1] or [base]
        self.widest = widths[0]
        self.stem = nn.Sequential(nn.Linear(latent, self.widest * self.start[0] * self.start[1]), nn.GELU())
        self.convolutions = (
            doublings([*widths, channels], self.start, (height, width))
            if halvings
            else nn.Conv2d(self.widest, channels, 1)
        )

    def forward(self, latents: Tensor) -> Tensor:
        maps = self.stem(latents).view(-1, self.widest, *self.start)
        pictures = self.convolutions(maps.contiguous(memory_format=torch.channels_last))
        return torch.sigmoid(pictures).contiguous()
