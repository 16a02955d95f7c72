"""Convolutional networks over time, for sounds as spectrograms."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from amodal.nn.channels_last import GroupNorm, channels_last
from amodal.nn.doubling import doublings

_SHORTEST = 8


def _halvings(frames: int) -> int:
    count = 0
    while frames > _SHORTEST:
        frames = (frames + 1) // 2
        count += 1
    return count


class SoundEncoder(nn.Module):
    """Spectrograms (B, C, T) to features (B, F): the bands are channels, time is halved again and again.

    Args:
        bands: C.
        frames: T.
        features: F.
        channels: channels of the convolutions, a multiple of 8.
    """

    def __init__(self, bands: int, frames: int, features: int, channels: int = 96) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        before = bands
        for _ in range(max(1, _halvings(frames))):
            # Flat two-dimensional convolutions: on a processor their channels-last kernels are the faster.
            layers += [
                nn.Conv2d(before, channels, (1, 4), stride=(1, 2), padding=(0, 2)),
                GroupNorm(8, channels),
                nn.GELU(),
            ]
            before, frames = channels, frames // 2 + 1
        self.convolutions = channels_last(nn.Sequential(*layers))
        self.head = nn.Sequential(nn.Linear(channels * frames, features), nn.GELU())

    def forward(self, spectrograms: Tensor) -> Tensor:
        flat = spectrograms[:, :, None].contiguous(memory_format=torch.channels_last)
        return self.head(self.convolutions(flat).permute(0, 2, 3, 1).flatten(1))


class SoundDecoder(nn.Module):
    """Latents (B, D) to spectrograms (B, C, T), by convolutions that double the time.

    Args:
        latent: D.
        bands: C.
        frames: T.
        channels: channels of the convolutions.
    """

    def __init__(self, latent: int, bands: int, frames: int, channels: int = 96) -> None:
        super().__init__()
        halvings = _halvings(frames)
        self.channels = channels
        self.start = -(-frames // 2**halvings)
        self.stem = nn.Sequential(nn.Linear(latent, channels * self.start), nn.GELU())
        widths = [channels] * halvings + [bands]
        self.convolutions = (
            doublings(widths, (1, self.start), (1, frames), flat=True)
            if halvings
            else nn.Conv2d(channels, bands, 1)
        )

    def forward(self, latents: Tensor) -> Tensor:
        maps = self.stem(latents).view(-1, self.channels, 1, self.start)
        spectrograms = self.convolutions(maps.contiguous(memory_format=torch.channels_last))
        return spectrograms[:, :, 0].contiguous()
