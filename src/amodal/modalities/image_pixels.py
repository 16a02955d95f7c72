"""Pictures as grids of pixels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn
from torch.distributions import Distribution

from amodal.distributions import IsotropicNormal, RowNoise
from amodal.media import fit_image, read_image, write_image
from amodal.modalities.files_column import accept_files, read_all, read_sample
from amodal.modalities.modality import Modality
from amodal.nn import ImageDecoder, ImageEncoder, LearnedScale

_LARGEST = 64
_SMALL = 8_192
_MOVED = 14.0
_SUFFIXES = (".png", ".jpg", ".jpeg", ".gif", ".bmp", ".tif", ".tiff", ".webp")


@dataclass(frozen=True)
class ImagePixels(Modality):
    """A picture scaled to one size, grey or in colour, as the column's pictures are.

    Attributes:
        height: rows; by default those of the typical picture, up to 64.
        width: columns; likewise.
        channels: 1 for grey, 3 for colour.
    """

    type: ClassVar[str] = "image"
    representation: ClassVar[str] = "pixels"
    suffix: ClassVar[str | None] = ".png"
    unit: ClassVar[str] = "brightness, 0 to 1"
    latent: ClassVar[int | None] = 32

    height: int
    width: int
    channels: int

    @classmethod
    def accepts(cls, cells: pd.Series[Any], root: Path | None) -> str:
        return accept_files(cells, root, read_image, "image", _SUFFIXES)

    @classmethod
    def fit(cls, cells: pd.Series[Any], root: Path | None, **options: Any) -> Self:
        pictures = read_sample(cells, root, read_image)
        height, width = np.median([picture.shape[:2] for picture in pictures], axis=0)
        shrink = min(1.0, _LARGEST / max(height, width))
        # Grey pictures are often saved in colour: what counts is whether the colours differ.
        colour = any(picture.ndim == 3 and np.ptp(picture, axis=2).max() > 8 for picture in pictures)
        state: dict[str, Any] = {
            "height": max(1, round(height * shrink)),
            "width": max(1, round(width * shrink)),
            "channels": 3 if colour else 1,
        }
        return cls(**(state | options))

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.channels, self.height, self.width)

    @property
    def dtype(self) -> str:
        return "uint8"

    @property
    def summary(self) -> str:
        return f"{self.height}x{self.width} {'colour' if self.channels == 3 else 'grey'}"

    @property
    def size(self) -> float:
        return float(np.prod(self.shape))

    def to_tensor(self, cells: pd.Series[Any], root: Path | None) -> Tensor:
        def pixels(path: Path) -> np.ndarray[Any, Any]:
            return fit_image(read_image(path), self.height, self.width, self.channels)

        pictures = read_all(cells, root, pixels, small=_SMALL)
        stacked = (
            np.stack(pictures) if pictures else np.empty((0, self.height, self.width, self.channels), "uint8")
        )
        return torch.from_numpy(np.ascontiguousarray(stacked.transpose(0, 3, 1, 2)))

    def scaled(self, tensor: Tensor) -> Tensor:
        return tensor.float() / 255.0

    def augmented(self, tensor: Tensor, noise: RowNoise) -> Tensor:
        """Pictures moved by up to a fourteenth of their sides, their border drawn out; neither turned nor scaled."""
        moved = tensor
        for side, size, chance in zip((2, 3), (self.height, self.width), noise.uniform(2).T, strict=True):
            by = ((2.0 * chance - 1.0) * (size / _MOVED)).round().long()
            places = (torch.arange(size, device=tensor.device) + by[:, None]).clamp(0, size - 1)
            shape = [len(tensor), 1, 1, 1]
            shape[side] = size
            moved = moved.gather(side, places.view(shape).expand_as(moved))
        return moved

    def to_cells(self, tensor: Tensor) -> Sequence[Any]:
        pixels = (tensor.detach().clamp(0.0, 1.0) * 255.0).round().to(torch.uint8)
        return list(pixels.permute(0, 2, 3, 1).cpu().numpy())

    def encoder(self, features: int) -> nn.Module:
        return ImageEncoder(self.channels, self.height, self.width, features)

    def decoder(self, latent: int) -> nn.Module:
        return _PixelDecoder(latent, self.channels, self.height, self.width)

    def draw(self, likelihood: Distribution, noise: RowNoise) -> Tensor:
        """The mean: the noise that a likelihood allows each pixel is no part of a picture."""
        return likelihood.mean

    def write(self, path: Path, cell: Any) -> None:
        write_image(path, cell)


class _PixelDecoder(nn.Module):
    def __init__(self, latent: int, channels: int, height: int, width: int) -> None:
        super().__init__()
        self.network = ImageDecoder(latent, channels, height, width)
        self.scale = LearnedScale(start=0.3, floor=0.02)

    def forward(self, latents: Tensor) -> IsotropicNormal:
        return IsotropicNormal(self.network(latents), self.scale())
