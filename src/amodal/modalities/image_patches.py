"""Images as patches."""

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

from amodal.errors import UsageError
from amodal.media import open_image, png_bytes
from amodal.modalities.heads import IsotropicNormalHead
from amodal.modalities.image_pixels import ImagePixels
from amodal.modalities.modality import Modality
from amodal.nn import ImageDecoder, ImageEncoder

_PATCH = 16
_MAX_PATCHES = 1_000


@dataclass(frozen=True)
class ImagePatches(Modality):
    """An image as a regular grid of overlapping square patches that cover it.

    The tensor of an image holds the grid as if it were a small image, whose channels are a patch's pixels:
    (patch * patch * channels, rows, columns). Its features are those of scikit-learn's `extract_patches_2d`:
    every patch of the image, or 1,000 of them where there are more.

    Attributes:
        height: rows of pixels; by default the column's median, shrunk to at most 64.
        width: columns; likewise.
        channels: 1 for grey, 3 for colour.
        patch: a patch's height and width; 16, or the image's shorter side where that is less.
        step: pixels from patch to patch, a divisor of `patch`; half of it, or the next divisor below.
    """

    type: ClassVar[str] = "image"
    representation: ClassVar[str] = "patches"
    unit: ClassVar[str] = "brightness, 0 to 255"
    dtype: ClassVar[str] = "uint8"
    suffix: ClassVar[str | None] = ".png"
    latent: ClassVar[int | None] = 32

    height: int
    width: int
    channels: int
    patch: int
    step: int

    @classmethod
    def detect(cls, cells: pd.Series[Any], root: Path | None) -> str:
        return ImagePixels.detect(cells, root)

    @classmethod
    def fit(cls, cells: pd.Series[Any], root: Path | None, **options: Any) -> Self:
        """Fit the images' size as `ImagePixels` does.

        Raises:
            UsageError: patches of the size and step asked for do not cover an image, or are too many.
        """
        own = {name: options.pop(name) for name in ("patch", "step") if name in options}
        pixels = ImagePixels.fit(cells, root, **options)
        patch = own.get("patch", min(_PATCH, pixels.height, pixels.width))
        step = own.get("step", next(s for s in range(max(1, patch // 2), 0, -1) if patch % s == 0))
        fitted = cls(**pixels.to_dict(), patch=patch, step=step)
        if not 1 <= step <= patch <= min(fitted.height, fitted.width) or patch % step:
            raise UsageError(
                f"Patches of {patch} pixels, {step} apart, do not fit pictures of {fitted.height}x{fitted.width}: "
                "`patch` must be at most the shorter side, and `step` a divisor of it."
            )
        rows, columns = fitted._grid
        if rows * columns > _MAX_PATCHES:
            raise UsageError(
                f"Pictures of {fitted.height}x{fitted.width} have {rows * columns:,} patches of {patch} pixels, "
                f"{step} apart; at most {_MAX_PATCHES:,} are taken: raise `step` or `patch`."
            )
        return fitted

    @property
    def _grid(self) -> tuple[int, int]:
        """Rows and columns of patches; the last may reach beyond the image."""
        return (
            1 + -(-(self.height - self.patch) // self.step),
            1 + -(-(self.width - self.patch) // self.step),
        )

    @property
    def _positions(self) -> int:
        """Pixels at which a patch can begin."""
        return (self.height - self.patch + 1) * (self.width - self.patch + 1)

    @property
    def shape(self) -> tuple[int, int, int]:
        return (self.patch * self.patch * self.channels, *self._grid)

    @property
    def feature_shape(self) -> tuple[int, ...]:
        shape = (min(self._positions, _MAX_PATCHES), self.patch, self.patch)
        return shape if self.channels == 1 else (*shape, self.channels)

    @property
    def summary(self) -> str:
        rows, columns = self._grid
        colour = "colour" if self.channels == 3 else "grey"
        return f"{self.height}x{self.width} {colour}, {rows * columns} patches of {self.patch}x{self.patch}"

    def to_tensor(self, cells: pd.Series[Any], root: Path | None) -> Tensor:
        images = ImagePixels(self.height, self.width, self.channels).to_tensor(cells, root)
        return torch.from_numpy(self._cut(images.permute(0, 2, 3, 1).numpy()))

    def _cut(self, images: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """Images (N, H, W, C) to the tensors of their patches."""
        rows, columns = self._grid
        bottom = self.patch + (rows - 1) * self.step - self.height
        right = self.patch + (columns - 1) * self.step - self.width
        padded = np.pad(images, ((0, 0), (0, bottom), (0, right), (0, 0)), mode="edge")
        patches = np.lib.stride_tricks.sliding_window_view(padded, (self.patch, self.patch), axis=(1, 2))
        channels_first = patches[:, :: self.step, :: self.step].transpose(0, 4, 5, 3, 1, 2)
        return np.array(channels_first, order="C").reshape(len(images), *self.shape)

    def scale(self, tensor: Tensor) -> Tensor:
        return tensor.float() / 255.0

    def features(self, tensor: Tensor) -> Tensor:
        """All patches of each image, flattened; above 1,000, as many at positions drawn once for all images."""
        shape = (self.height, self.width, self.channels)
        values = np.arange(np.prod(shape)).reshape(shape)
        # Every value of an image is in its tensor, some several times.
        index = np.empty(values.size, np.int64)
        stored = self._cut(values[None]).ravel()
        index[stored] = np.arange(len(stored))
        side = (self.patch, self.patch)
        if self._positions <= _MAX_PATCHES:
            images = np.take(tensor.flatten(1).numpy(), index, axis=1).reshape(-1, *shape)
            patches = np.lib.stride_tricks.sliding_window_view(images, side, axis=(1, 2))
            vectors = np.array(patches.transpose(0, 1, 2, 4, 5, 3), order="C")
            vectors = vectors.reshape(len(tensor), math.prod(self.feature_shape))
        else:
            chosen = extract_patches_2d(values, side, max_patches=_MAX_PATCHES, random_state=0)
            vectors = np.take(tensor.flatten(1).numpy(), index[chosen.ravel()], axis=1)
        return torch.from_numpy(vectors)

    def to_cells(self, tensor: Tensor) -> Sequence[Any]:
        """Average patches where they overlap, by `reconstruct_from_patches_2d`."""
        return [self._reconstruct(patches) for patches in tensor.detach().float().cpu().numpy()]

    def _reconstruct(self, patches: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        # scikit-learn joins patches that are one pixel apart: each square of step x step pixels is passed as one.
        rows, columns = self._grid
        step, side, depth = self.step, self.patch // self.step, self.step**2 * self.channels
        squares = patches.reshape(side, step, side, step, self.channels, rows, columns)
        squares = squares.transpose(5, 6, 0, 2, 1, 3, 4).reshape(rows * columns, side, side, depth)
        size = (rows + side - 1, columns + side - 1)
        image = reconstruct_from_patches_2d(squares, (*size, depth))
        image = image.reshape(*size, step, step, self.channels).transpose(0, 2, 1, 3, 4)
        image = image.reshape(size[0] * step, size[1] * step, self.channels)
        image = image[: self.height, : self.width]
        return np.asarray((image.clip(0.0, 1.0) * 255.0).round(), np.uint8)

    def to_bytes(self, cell: Any) -> bytes:
        return png_bytes(open_image(cell, None))

    def encoder(self, features: int) -> nn.Module:
        # A patch's content must be read before neighbours are merged: hence many channels.
        return nn.Sequential(
            ImageEncoder(*self.shape, features, base=64, patch=2),
            nn.Linear(features, features),
            nn.GELU(),
        )

    def head(self, context: int) -> nn.Module:
        return IsotropicNormalHead(ImageDecoder(context, *self.shape, base=128), scale=0.3, floor=0.02)
