"""Networks over time, for sounds as spectrograms."""

from __future__ import annotations

from torch import Tensor, nn

from amodal.nn.patches import halvings_to, joined_patches
from amodal.nn.upsampling import doublings

_PATCH = 4


class SoundEncoder(nn.Module):
    """Spectrograms (B, C, T) to features (B, F): patches of four frames that overlap, joined until they are eight.

    Args:
        bands: C.
        frames: T.
        features: F.
        channels: size of a patch's vector; twice as many once they are joined.
    """

    def __init__(self, bands: int, frames: int, features: int, channels: int = 96) -> None:
        super().__init__()
        patches = -(-frames // _PATCH)
        joinings = halvings_to(8, patches)
        widths = [channels] + [2 * channels] * joinings
        self.patches = joined_patches(bands, widths, (1, _PATCH), flat=True)
        left = -(-patches // 2**joinings)
        self.head = nn.Sequential(nn.Linear(widths[-1] * left, features), nn.GELU())

    def forward(self, spectrograms: Tensor) -> Tensor:
        return self.head(self.patches(spectrograms[:, :, None]).flatten(1))


class SoundDecoder(nn.Module):
    """Latents (B, D) to spectrograms (B, C, T), by convolutions that double the time, of up to sixteen moments.

    Args:
        latent: D.
        bands: C.
        frames: T.
        channels: channels of the convolutions.
    """

    def __init__(self, latent: int, bands: int, frames: int, channels: int = 96) -> None:
        super().__init__()
        doubled = halvings_to(16, frames)
        self.channels = channels
        self.start = -(-frames // 2**doubled)
        self.stem = nn.Sequential(nn.Linear(latent, channels * self.start), nn.GELU())
        widths = [channels] * doubled + [bands]
        self.convolutions = (
            doublings(widths, (1, self.start), (1, frames), flat=True)
            if doubled
            else nn.Conv2d(channels, bands, 1)
        )

    def forward(self, latents: Tensor) -> Tensor:
        maps = self.stem(latents).view(-1, 1, self.start, self.channels).permute(0, 3, 1, 2)
        return self.convolutions(maps)[:, :, 0].contiguous()
