"""Pictures as patches."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
import torch
from sklearn.feature_extraction.image import extract_patches_2d, reconstruct_from_patches_2d
from torch import Tensor, nn
from torch.distributions import Distribution

from amodal.distributions import IsotropicNormal, RowNoise
from amodal.errors import UsageError
from amodal.media import write_image
from amodal.modalities.image_pixels import ImagePixels
from amodal.modalities.modality import Modality
from amodal.nn import ImageDecoder, ImageEncoder, LearnedScale

_SIDE = 16
_MOST = 1_000


@dataclass(frozen=True)
class ImagePatches(Modality):
    """A picture as a regular grid of square patches that overlap and cover it whole.

    The tensor of a picture holds the grid as if it were a small picture, whose channels are a patch's pixels:
    (patch * patch * channels, rows, columns). Its features are those of scikit-learn's `extract_patches_2d`:
    every patch of the picture, or 1,000 of them where there are more.

    Attributes:
        height: rows of pixels; by default those of the typical picture, up to 64.
        width: columns; likewise.
        channels: 1 for grey, 3 for colour.
        patch: a patch's height and width; 16, or the picture's shorter side where that is less.
        step: pixels from patch to patch, a divisor of `patch`; half of it, or the next divisor below.
    """

    type: ClassVar[str] = "image"
    representation: ClassVar[str] = "patches"
    suffix: ClassVar[str | None] = ".png"
    unit: ClassVar[str] = "brightness, 0 to 255"
    latent: ClassVar[int | None] = 32

    height: int
    width: int
    channels: int
    patch: int
    step: int

    @classmethod
    def accepts(cls, cells: pd.Series[Any], root: Path | None) -> str:
        return ImagePixels.accepts(cells, root)

    @classmethod
    def fit(cls, cells: pd.Series[Any], root: Path | None, **options: Any) -> Self:
        """Learn the pictures' size, as `ImagePixels` does.

        Raises:
            UsageError: patches of the size and step asked for do not cover a picture, or are too many.
        """
        own = {name: options.pop(name) for name in ("patch", "step") if name in options}
        pixels = ImagePixels.fit(cells, root, **options)
        patch = own.get("patch", min(_SIDE, pixels.height, pixels.width))
        step = own.get("step", next(s for s in range(max(1, patch // 2), 0, -1) if patch % s == 0))
        fitted = cls(**pixels.to_dict(), patch=patch, step=step)
        if not 1 <= step <= patch <= min(fitted.height, fitted.width) or patch % step:
            raise UsageError(
                f"Patches of {patch} pixels, {step} apart, do not fit pictures of {fitted.height}x{fitted.width}: "
                "`patch` must be at most the shorter side, and `step` a divisor of it."
            )
        rows, columns = fitted._grid
        if rows * columns > _MOST:
            raise UsageError(
                f"Pictures of {fitted.height}x{fitted.width} have {rows * columns:,} patches of {patch} pixels, "
                f"{step} apart; at most {_MOST:,} are taken: raise `step` or `patch`."
            )
        return fitted

    @property
    def _grid(self) -> tuple[int, int]:
        """Rows and columns of patches; the last may reach beyond the picture."""
        return (
            1 + -(-(self.height - self.patch) // self.step),
            1 + -(-(self.width - self.patch) // self.step),
        )

    @property
    def _every(self) -> int:
        """How many patches there are when they may begin at any pixel."""
        return (self.height - self.patch + 1) * (self.width - self.patch + 1)

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.patch * self.patch * self.channels, *self._grid)

    @property
    def feature_shape(self) -> tuple[int, ...]:
        shape = (min(self._every, _MOST), self.patch, self.patch)
        return shape if self.channels == 1 else (*shape, self.channels)

    @property
    def dtype(self) -> str:
        return "uint8"

    @property
    def summary(self) -> str:
        rows, columns = self._grid
        colour = "colour" if self.channels == 3 else "grey"
        return f"{self.height}x{self.width} {colour}, {rows * columns} patches of {self.patch}x{self.patch}"

    @property
    def size(self) -> float:
        return float(np.prod(self.shape))

    def to_tensor(self, cells: pd.Series[Any], root: Path | None) -> Tensor:
        pictures = ImagePixels(self.height, self.width, self.channels).to_tensor(cells, root)
        return torch.from_numpy(self._cut(pictures.permute(0, 2, 3, 1).numpy()))

    def _cut(self, pictures: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """Pictures (N, H, W, C) to the tensors of their patches."""
        rows, columns = self._grid
        below = self.patch + (rows - 1) * self.step - self.height
        beside = self.patch + (columns - 1) * self.step - self.width
        covered = np.pad(pictures, ((0, 0), (0, below), (0, beside), (0, 0)), mode="edge")
        patches = np.lib.stride_tricks.sliding_window_view(covered, (self.patch, self.patch), axis=(1, 2))
        channels_first = patches[:, :: self.step, :: self.step].transpose(0, 4, 5, 3, 1, 2)
        return np.array(channels_first, order="C").reshape(len(pictures), *self.shape)

    def scaled(self, tensor: Tensor) -> Tensor:
        return tensor.float() / 255.0

    def features(self, tensor: Tensor) -> Tensor:
        """All patches of each picture, flattened; above 1,000, as many at places that are drawn once for all."""
        shape = (self.height, self.width, self.channels)
        values = np.arange(np.prod(shape)).reshape(shape)
        # Every value of a picture stands somewhere in its tensor.
        places = np.empty(values.size, np.int64)
        stored = self._cut(values[None]).ravel()
        places[stored] = np.arange(len(stored))
        side = (self.patch, self.patch)
        if self._every <= _MOST:
            pictures = np.take(tensor.flatten(1).numpy(), places, axis=1).reshape(-1, *shape)
            patches = np.lib.stride_tricks.sliding_window_view(pictures, side, axis=(1, 2))
            vectors = np.array(patches.transpose(0, 1, 2, 4, 5, 3), order="C")
            vectors = vectors.reshape(len(tensor), math.prod(self.feature_shape))
        else:
            wanted = extract_patches_2d(values, side, max_patches=_MOST, random_state=0)
            vectors = np.take(tensor.flatten(1).numpy(), places[wanted.ravel()], axis=1)
        return torch.from_numpy(vectors)

    def to_cells(self, tensor: Tensor) -> Sequence[Any]:
        """Average patches where they overlap, by `reconstruct_from_patches_2d`."""
        return [self._joined(patches) for patches in tensor.detach().float().cpu().numpy()]

    def _joined(self, patches: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        # scikit-learn joins patches that are one pixel apart: squares of step x step pixels play the pixels.
        rows, columns = self._grid
        step, side, depth = self.step, self.patch // self.step, self.step**2 * self.channels
        squares = patches.reshape(side, step, side, step, self.channels, rows, columns)
        squares = squares.transpose(5, 6, 0, 2, 1, 3, 4).reshape(rows * columns, side, side, depth)
        size = (rows + side - 1, columns + side - 1)
        picture = reconstruct_from_patches_2d(squares, (*size, depth))
        picture = picture.reshape(*size, step, step, self.channels).transpose(0, 2, 1, 3, 4)
        picture = picture.reshape(size[0] * step, size[1] * step, self.channels)
        picture = picture[: self.height, : self.width]
        return np.asarray((picture.clip(0.0, 1.0) * 255.0).round(), np.uint8)

    def encoder(self, features: int) -> nn.Module:
        # What a patch is must be told before it is halved away with its neighbours: hence many channels.
        channels, rows, columns = self.shape
        return nn.Sequential(
            ImageEncoder(channels, rows, columns, features, base=64, patch=2),
            nn.Linear(features, features),
            nn.GELU(),
        )

    def decoder(self, latent: int) -> nn.Module:
        return _PatchDecoder(latent, self.shape)

    def draw(self, likelihood: Distribution, noise: RowNoise) -> Tensor:
        """The mean: the noise that a likelihood allows each pixel is no part of a picture."""
        return likelihood.mean

    def write(self, path: Path, cell: Any) -> None:
        write_image(path, cell)


class _PatchDecoder(nn.Module):
    def __init__(self, latent: int, shape: tuple[int, ...]) -> None:
        super().__init__()
        channels, rows, columns = shape
        self.network = ImageDecoder(latent, channels, rows, columns, base=128)
        self.scale = LearnedScale(start=0.3, floor=0.02)

    def forward(self, latents: Tensor) -> IsotropicNormal:
        return IsotropicNormal(self.network(latents), self.scale())
