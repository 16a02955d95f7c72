"""Images as pixels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from amodal.distributions import RowNoise
from amodal.media import IMAGE_SUFFIXES, fit_image, open_image, png_bytes
from amodal.modalities.file_cells import detect_files, read_files, read_sample
from amodal.modalities.heads import IsotropicNormalHead
from amodal.modalities.modality import Modality
from amodal.nn import ImageDecoder, ImageEncoder

_MAX_SIDE = 64
_SMALL_FILE = 8_192
_THUMBNAIL = 12
_SIDE_TO_SHIFT = 14.0
"""A side over the pixels that an image is moved by at most in training."""


@dataclass(frozen=True)
class ImagePixels(Modality):
    """An image resized to the column's size, grey or in colour as the column is.

    Attributes:
        height: rows; by default the column's median, shrunk to at most 64.
        width: columns; likewise.
        channels: 1 for grey, 3 for colour.
    """

    type: ClassVar[str] = "image"
    representation: ClassVar[str] = "pixels"
    unit: ClassVar[str] = "brightness, 0 to 1"
    dtype: ClassVar[str] = "uint8"
    suffix: ClassVar[str | None] = ".png"
    latent: ClassVar[int | None] = 32

    height: int
    width: int
    channels: int

    @classmethod
    def detect(cls, cells: pd.Series[Any], root: Path | None) -> str:
        return detect_files(cells, root, open_image, "image", IMAGE_SUFFIXES)

    @classmethod
    def fit(cls, cells: pd.Series[Any], root: Path | None, **options: Any) -> Self:
        images = read_sample(cells, root, open_image)
        height, width = np.median([image.shape[:2] for image in images], axis=0)
        shrink = min(1.0, _MAX_SIDE / max(height, width))
        # Grey images are often saved in colour: what counts is whether the colours differ.
        colour = any(image.ndim == 3 and np.ptp(image, axis=2).max() > 8 for image in images)
        state: dict[str, Any] = {
            "height": max(1, round(height * shrink)),
            "width": max(1, round(width * shrink)),
            "channels": 3 if colour else 1,
        }
        return cls(**(state | options))

    @property
    def shape(self) -> tuple[int, int, int]:
        return (self.channels, self.height, self.width)

    @property
    def summary(self) -> str:
        return f"{self.height}x{self.width} {'colour' if self.channels == 3 else 'grey'}"

    def to_tensor(self, cells: pd.Series[Any], root: Path | None) -> Tensor:
        def read(cell: object, root: Path | None) -> np.ndarray[Any, Any]:
            return fit_image(open_image(cell, root), self.height, self.width, self.channels)

        images = np.array(read_files(cells, root, read, small=_SMALL_FILE), np.uint8)
        images = images.reshape(len(cells), self.height, self.width, self.channels)
        return torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2)))

    def scale(self, tensor: Tensor) -> Tensor:
        return tensor.float() / 255.0

    def augment(self, tensor: Tensor, noise: RowNoise) -> Tensor:
        """Move images by up to a fourteenth of their sides, their border replicated; no rotation, no resizing."""
        moved = tensor
        for side, size, chance in zip((2, 3), (self.height, self.width), noise.uniform(2).T, strict=True):
            shift = ((2.0 * chance - 1.0) * (size / _SIDE_TO_SHIFT)).round().long()
            source = (torch.arange(size, device=tensor.device) + shift[:, None]).clamp(0, size - 1)
            shape = [len(tensor), 1, 1, 1]
            shape[side] = size
            moved = moved.gather(side, source.view(shape).expand_as(moved))
        return moved

    def linear_features(self, tensor: Tensor) -> Tensor:
        """Thumbnails of at most 12 by 12 points."""
        size = min(self.height, _THUMBNAIL), min(self.width, _THUMBNAIL)
        return nn.functional.adaptive_avg_pool2d(tensor, size).flatten(1)

    def to_cells(self, tensor: Tensor) -> Sequence[Any]:
        pixels = (tensor.detach().clamp(0.0, 1.0) * 255.0).round().to(torch.uint8)
        return list(pixels.permute(0, 2, 3, 1).cpu().numpy())

    def to_bytes(self, cell: Any) -> bytes:
        return png_bytes(open_image(cell, None))

    def encoder(self, features: int) -> nn.Module:
        return ImageEncoder(*self.shape, features)

    def head(self, context: int) -> nn.Module:
        return IsotropicNormalHead(ImageDecoder(context, *self.shape), scale=0.3, floor=0.02)
