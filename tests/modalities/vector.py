"""Column types whose networks are linear, so that all of them is known in closed form."""

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
    """Vectors x = A z + b + noise, whose likelihood is exact."""

    dims: int

    type: ClassVar[str] = "vector"
    representation: ClassVar[str] = "linear"
    dtype: ClassVar[str] = "float32"
    summary: ClassVar[str] = ""  # type: ignore[assignment]
    size: ClassVar[float] = 1.0  # type: ignore[assignment]

    @classmethod
    def detect(cls, cells: pd.Series, root: Path | None) -> str:
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

    def head(self, context: int) -> nn.Module:
        return _Head(context, self.dims)


class LatentVector(Vector):
    """The same with an autoencoder, whose latent is two numbers."""

    latent: ClassVar[int | None] = 2


class _Head(nn.Module):
    def __init__(self, context: int, dims: int) -> None:
        super().__init__()
        self.map = nn.Linear(context, dims)

    def forward(self, context: Tensor) -> Distribution:
        return Independent(Normal(self.map(context), NOISE), 1)
