"""Convolutional networks for images of any size."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from amodal.nn.patches import PatchEncoder, num_halvings
from amodal.nn.upsampling import upsampling_layers

_ENCODED_SIDE = 4
_DECODER_START = 8


def _widths(maps: int, base: int) -> list[int]:
    """Channels of maps, the largest map first: doubled each time, up to eight times the base."""
    return [base * 2 ** min(level, 3) for level in range(maps)]


class ImageEncoder(nn.Module):
    """Images (B, C, H, W) in [0, 1] to features (B, F): overlapping patches, merged down to at most four by four.

    Args:
        channels: C.
        height: H.
        width: W.
        features: F.
        base: width of the patch layer; doubled with each merge.
        patch: height and width of a patch.
    """

    def __init__(
        self, channels: int, height: int, width: int, features: int, base: int = 48, patch: int = 4
    ) -> None:
        super().__init__()
        rows, columns = -(-height // patch), -(-width // patch)
        merges = num_halvings(_ENCODED_SIDE, max(rows, columns))
        widths = _widths(merges + 1, base)
        self.patches = PatchEncoder(channels, widths, (patch, patch))
        positions = -(-rows // 2**merges) * -(-columns // 2**merges)
        self.head = nn.Sequential(nn.Linear(widths[-1] * positions, features), nn.GELU())

    def forward(self, images: Tensor) -> Tensor:
        return self.head(self.patches(images - 0.5).flatten(1))


class ImageDecoder(nn.Module):
    """Latents (B, D) to images (B, C, H, W) in [0, 1]: upsampling, from at most eight by eight.

    Args:
        latent: D.
        channels: C.
        height: H.
        width: W.
        base: channels before the last convolution.
    """

    def __init__(self, latent: int, channels: int, height: int, width: int, base: int = 24) -> None:
        super().__init__()
        doublings = num_halvings(_DECODER_START, max(height, width))
        self.start = (-(-height // 2**doublings), -(-width // 2**doublings))
        widths = _widths(doublings, base)[::-1] or [base]
        self.widest = widths[0]
        self.stem = nn.Sequential(nn.Linear(latent, self.widest * self.start[0] * self.start[1]), nn.GELU())
        self.convolutions = (
            upsampling_layers([*widths, channels], self.start, (height, width))
            if doublings
            else nn.Conv2d(self.widest, channels, 1)
        )

    def forward(self, latents: Tensor) -> Tensor:
        maps = self.stem(latents).view(-1, *self.start, self.widest).permute(0, 3, 1, 2)
        return torch.sigmoid(self.convolutions(maps)).contiguous()
