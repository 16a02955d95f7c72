"""Column types with linear networks, for closed-form tests."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import pandas as pd
import torch
from torch import Tensor, nn
from torch.distributions import Distribution, Independent, Normal

from amodal.modalities import Modality

NOISE = 0.5


@dataclass(frozen=True)
class Vector(Modality):
    """Vectors x = A z + b + NOISE * eps."""

    dims: int

    type: ClassVar[str] = "vector"
    representation: ClassVar[str] = "linear"
    dtype: ClassVar[str] = "float32"  # type: ignore[assignment]
    summary: ClassVar[str] = ""  # type: ignore[assignment]
    size: ClassVar[float] = 1.0  # type: ignore[assignment]

    @classmethod
    def accepts(cls, cells: pd.Series, root: Path | None) -> str:
        return "vectors"

    @classmethod
    def fit(cls, cells: pd.Series, root: Path | None, **options: Any) -> Self:
        return cls(len(cells.iloc[0]))

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.dims,)

    def to_tensor(self, cells: pd.Series, root: Path | None) -> Tensor:
        return torch.tensor(cells.tolist())

    def to_cells(self, tensor: Tensor) -> list:
        return tensor.tolist()

    def encoder(self, features: int) -> nn.Module:
        return nn.Linear(self.dims, features)

    def decoder(self, latent: int) -> nn.Module:
        return _Decoder(latent, self.dims)


class LatentVector(Vector):
    """The same with an autoencoder of latent size two."""

    latent: ClassVar[int | None] = 2


class _Decoder(nn.Module):
    def __init__(self, latent: int, dims: int) -> None:
        super().__init__()
        self.map = nn.Linear(latent, dims)

    def forward(self, latents: Tensor) -> Distribution:
        return Independent(Normal(self.map(latents), NOISE), 1)
