"""Convolutional networks for spectrograms."""

from __future__ import annotations

from torch import Tensor, nn

from amodal.nn.patches import PatchEncoder, num_halvings
from amodal.nn.upsampling import upsampling_layers

_PATCH = 4
_ENCODED_FRAMES = 8
_DECODER_START = 16


class SpectrogramEncoder(nn.Module):
    """Spectrograms (B, C, T) to features (B, F): overlapping patches of four frames, merged down to at most eight.

    Args:
        bands: C.
        frames: T.
        features: F.
        channels: width of the patch layer; merged layers have twice as many.
    """

    def __init__(self, bands: int, frames: int, features: int, channels: int = 96) -> None:
        super().__init__()
        patches = -(-frames // _PATCH)
        merges = num_halvings(_ENCODED_FRAMES, patches)
        widths = [channels] + [2 * channels] * merges
        self.patches = PatchEncoder(bands, widths, (1, _PATCH), flat=True)
        self.head = nn.Sequential(nn.Linear(widths[-1] * -(-patches // 2**merges), features), nn.GELU())

    def forward(self, spectrograms: Tensor) -> Tensor:
        return self.head(self.patches(spectrograms[:, :, None]).flatten(1))


class SpectrogramDecoder(nn.Module):
    """Latents (B, D) to spectrograms (B, C, T): upsampling along time, from at most sixteen frames.

    Args:
        latent: D.
        bands: C.
        frames: T.
        channels: channels of the convolutions.
    """

    def __init__(self, latent: int, bands: int, frames: int, channels: int = 96) -> None:
        super().__init__()
        doublings = num_halvings(_DECODER_START, frames)
        self.channels = channels
        self.start = -(-frames // 2**doublings)
        self.stem = nn.Sequential(nn.Linear(latent, channels * self.start), nn.GELU())
        self.convolutions = (
            upsampling_layers([channels] * doublings + [bands], (1, self.start), (1, frames), flat=True)
            if doublings
            else nn.Conv2d(channels, bands, 1)
        )

    def forward(self, latents: Tensor) -> Tensor:
        maps = self.stem(latents).view(-1, 1, self.start, self.channels).permute(0, 3, 1, 2)
        return self.convolutions(maps)[:, :, 0].contiguous()
