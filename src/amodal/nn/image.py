"""Networks for pictures of any size."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from amodal.nn.patches import halvings_to, joined_patches
from amodal.nn.upsampling import doublings

_PATCH = 4


def _widths(maps: int, base: int) -> list[int]:
    """Channels of maps, the largest first: doubled each time, up to eight times the base."""
    return [base * 2 ** min(level, 3) for level in range(maps)]


class ImageEncoder(nn.Module):
    """Pictures (B, C, H, W) in [0, 1] to features (B, F): patches that overlap, joined until they are four by four.

    Args:
        channels: C.
        height: H.
        width: W.
        features: F.
        base: size of a patch's vector; twice as many after each joining.
        patch: height and width of a patch.
    """

    def __init__(
        self, channels: int, height: int, width: int, features: int, base: int = 48, patch: int = _PATCH
    ) -> None:
        super().__init__()
        rows, columns = -(-height // patch), -(-width // patch)
        joinings = halvings_to(4, max(rows, columns))
        widths = _widths(joinings + 1, base)
        self.patches = joined_patches(channels, widths, (patch, patch))
        left = -(-rows // 2**joinings) * -(-columns // 2**joinings)
        self.head = nn.Sequential(nn.Linear(widths[-1] * left, features), nn.GELU())

    def forward(self, pictures: Tensor) -> Tensor:
        return self.head(self.patches(pictures - 0.5).flatten(1))


class ImageDecoder(nn.Module):
    """Latents (B, D) to pictures (B, C, H, W) in [0, 1], by convolutions that double maps of up to eight by eight.

    Args:
        latent: D.
        channels: C.
        height: H.
        width: W.
        base: channels before the last convolution.
    """

    def __init__(self, latent: int, channels: int, height: int, width: int, base: int = 24) -> None:
        super().__init__()
        doubled = halvings_to(8, max(height, width))
        self.start = (-(-height // 2**doubled), -(-width // 2**doubled))
        widths = _widths(doubled, base)[::-1] or [base]
        self.widest = widths[0]
        self.stem = nn.Sequential(nn.Linear(latent, self.widest * self.start[0] * self.start[1]), nn.GELU())
        self.convolutions = (
            doublings([*widths, channels], self.start, (height, width))
            if doubled
            else nn.Conv2d(self.widest, channels, 1)
        )

    def forward(self, latents: Tensor) -> Tensor:
        maps = self.stem(latents).view(-1, *self.start, self.widest).permute(0, 3, 1, 2)
        return torch.sigmoid(self.convolutions(maps)).contiguous()
