"""Numbers as normal quantiles of their ranks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
import torch
from sklearn.preprocessing import QuantileTransformer
from torch import Tensor, nn

from amodal.errors import BadCells, RejectColumn, examples
from amodal.modalities.heads import NormalHead, NormalMixtureHead
from amodal.modalities.modality import Modality
from amodal.nn import Dense

_QUANTILES = 256
_MAX_CODES = 20
"""Most distinct whole numbers that are taken for codes of categories."""


def _as_numbers(cells: pd.Series[Any]) -> np.ndarray[Any, Any]:
    """The cells as float64; NaN where a cell is not a number."""
    return pd.to_numeric(cells, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)


@dataclass(frozen=True)
class NumberQuantile(Modality):
    """A number as the standard normal quantile of its rank (scikit-learn's `QuantileTransformer`).

    Any scale, skew or tail becomes a normal distribution, and draws lie within the column's range.

    Attributes:
        quantiles: evenly spaced quantiles of the column, ascending.
        decimals: the column's digits after the point, to which draws are rounded.
    """

    type: ClassVar[str] = "number"
    representation: ClassVar[str] = "quantile"
    unit: ClassVar[str] = "standard normal quantile of the rank"
    dtype: ClassVar[str] = "float32"

    quantiles: tuple[float, ...]
    decimals: int

    @classmethod
    def detect(cls, cells: pd.Series[Any], root: Path | None) -> str:
        if pd.api.types.is_bool_dtype(cells.dtype):
            raise RejectColumn("true or false is a category")
        values = _as_numbers(cells)
        wrong = np.flatnonzero(np.isnan(values))
        # A few bad cells do not make a column of numbers a text: they are reported when they are read.
        if len(wrong) > 0.2 * len(values):
            raise RejectColumn(f"not numbers: {examples([repr(cells.iloc[i]) for i in wrong])}")
        finite = values[np.isfinite(values)]
        distinct = len(np.unique(finite))
        if distinct <= _MAX_CODES and (finite == np.round(finite)).all() and distinct < 0.5 * len(finite):
            raise RejectColumn(f"only {distinct} distinct whole numbers, which name categories")
        return f"{len(values) - len(wrong)} of {len(values)} sampled cells are numbers"

    @classmethod
    def fit(cls, cells: pd.Series[Any], root: Path | None, **options: Any) -> Self:
        values = _as_numbers(cells)
        finite = values[np.isfinite(values)]
        if len(finite) == 0:
            raise RejectColumn("no cell is a finite number")
        transformer = QuantileTransformer(
            n_quantiles=min(_QUANTILES, len(finite)),
            output_distribution="normal",
            subsample=200_000,
            random_state=0,
        )
        transformer.fit(finite[:, None])
        state: dict[str, Any] = {
            "quantiles": tuple(transformer.quantiles_[:, 0].tolist()),
            "decimals": _decimals(finite),
        }
        return cls(**(state | options))

    @property
    def shape(self) -> tuple[int, ...]:
        return ()

    @property
    def summary(self) -> str:
        return f"{self.quantiles[0]:.4g} to {self.quantiles[-1]:.4g}"

    @property
    def _unit(self) -> float:
        """The largest absolute quantile, by which numbers are divided: scikit-learn merges those within 1e-7."""
        return max(abs(self.quantiles[0]), abs(self.quantiles[-1])) or 1.0

    def _transformer(self) -> QuantileTransformer:
        transformer = QuantileTransformer(n_quantiles=len(self.quantiles), output_distribution="normal")
        transformer.quantiles_ = np.array(self.quantiles)[:, None] / self._unit
        transformer.references_ = np.linspace(0, 1, len(self.quantiles))
        transformer.n_quantiles_ = len(self.quantiles)
        transformer.n_features_in_ = 1
        return transformer

    def to_tensor(self, cells: pd.Series[Any], root: Path | None) -> Tensor:
        values = _as_numbers(cells)
        wrong = np.flatnonzero(~np.isfinite(values))
        if len(wrong):
            raise BadCells({int(i): f"{cells.iloc[i]!r} is not a finite number" for i in wrong})
        if not len(values):
            return torch.empty(0)
        ranks = self._transformer().transform(values[:, None] / self._unit)[:, 0]
        return torch.from_numpy(ranks.astype(np.float32))

    def to_cells(self, tensor: Tensor) -> Sequence[Any]:
        if not len(tensor):
            return []
        ranks = tensor.detach().cpu().numpy().astype(np.float64)
        values = self._transformer().inverse_transform(ranks[:, None])[:, 0] * self._unit
        values = values.round(self.decimals)
        return [int(value) for value in values] if self.decimals == 0 else values.tolist()

    def encoder(self, features: int) -> nn.Module:
        return _NumberEncoder(features)

    def head(self, context: int) -> nn.Module:
        """A mixture of normals: given other columns a number is often in one of several ranges."""
        return NormalMixtureHead(context)

    def decoder(self, latent: int) -> nn.Module:
        return NormalHead(latent)


def _decimals(values: np.ndarray[Any, Any], limit: int = 6) -> int:
    """Digits after the point of the values, up to `limit`, or as many significant ones of values below 1."""
    for decimals in range(limit):
        if np.allclose(values, values.round(decimals), rtol=1e-9, atol=1e-12):
            return decimals
    largest = np.abs(values).max()
    return limit if largest >= 1 or largest == 0 else limit - math.floor(math.log10(largest))


class _NumberEncoder(nn.Module):
    def __init__(self, features: int) -> None:
        super().__init__()
        self.network = Dense(1, features, features)

    def forward(self, numbers: Tensor) -> Tensor:
        return self.network(numbers[:, None])
