"""Numbers, spread evenly by their quantiles."""

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
from torch.distributions import Categorical, MixtureSameFamily, Normal

from amodal.errors import BadCells, RejectColumn, examples
from amodal.modalities.modality import Modality
from amodal.nn import Dense, LearnedScale

_QUANTILES = 256
_FEW = 20
_NARROWEST = 0.03


def _as_numbers(cells: pd.Series[Any]) -> np.ndarray[Any, Any]:
    """The cells as float64; NaN where a cell is not a number."""
    return pd.to_numeric(cells, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)


@dataclass(frozen=True)
class NumberQuantile(Modality):
    """A number as the standard normal quantile of its rank (scikit-learn's `QuantileTransformer`).

    Any scale, skew or tail becomes a bell, and what is drawn lies within what was seen.

    Attributes:
        quantiles: evenly spaced quantiles of the column, ascending.
        decimals: digits after the point that the column has, to which draws are rounded.
    """

    type: ClassVar[str] = "number"
    representation: ClassVar[str] = "quantile"
    unit: ClassVar[str] = "standard normal quantile of the rank"

    quantiles: tuple[float, ...]
    decimals: int

    @classmethod
    def accepts(cls, cells: pd.Series[Any], root: Path | None) -> str:
        if pd.api.types.is_bool_dtype(cells.dtype):
            raise RejectColumn("true or false is a category")
        values = _as_numbers(cells)
        wrong = np.flatnonzero(np.isnan(values))
        # One spoilt cell must not turn a column of numbers into a text: it is reported when it is read.
        if len(wrong) > 0.2 * len(values):
            raise RejectColumn(f"not numbers: {examples([repr(cells.iloc[i]) for i in wrong])}")
        finite = values[np.isfinite(values)]
        distinct = len(np.unique(finite))
        if distinct <= _FEW and (finite == np.round(finite)).all() and distinct < 0.5 * len(finite):
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
    def dtype(self) -> str:
        return "float32"

    @property
    def summary(self) -> str:
        return f"{self.quantiles[0]:.4g} to {self.quantiles[-1]:.4g}"

    @property
    def size(self) -> float:
        return 1.0

    @property
    def _unit(self) -> float:
        """The largest quantile's size: scikit-learn takes numbers closer than 1e-7 for the same."""
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

    def decoder(self, latent: int) -> nn.Module:
        return _NumberDecoder(latent)

    def conditional(self, context: int) -> nn.Module:
        """A mixture of normals: what is given often leaves several ranges open."""
        return _NumberMixture(context)


def _decimals(values: np.ndarray[Any, Any], most: int = 6) -> int:
    """How many digits after the point tell all values apart from their rounding, at most `most`."""
    for decimals in range(most):
        if np.allclose(values, values.round(decimals), rtol=1e-9, atol=1e-12):
            return decimals
    spread = np.abs(values).max()
    return most if spread >= 1 or spread == 0 else most - math.floor(math.log10(spread))


class _NumberEncoder(nn.Module):
    def __init__(self, features: int) -> None:
        super().__init__()
        self.network = Dense(1, features, features)

    def forward(self, numbers: Tensor) -> Tensor:
        return self.network(numbers[:, None])


class _NumberDecoder(nn.Module):
    def __init__(self, latent: int) -> None:
        super().__init__()
        self.network = Dense(latent, 128, 1)
        self.scale = LearnedScale(start=1.0, floor=0.1)

    def forward(self, latents: Tensor) -> Normal:
        mean = self.network(latents)[:, 0]
        return Normal(mean, self.scale().expand_as(mean), validate_args=False)


class _NumberMixture(nn.Module):
    def __init__(self, context: int, components: int = 8) -> None:
        super().__init__()
        self.network = Dense(context, 128, 3 * components)

    def forward(self, contexts: Tensor) -> MixtureSameFamily:
        logits, means, excess = self.network(contexts).chunk(3, dim=1)
        scales = _NARROWEST + nn.functional.softplus(excess)
        return MixtureSameFamily(
            Categorical(logits=logits, validate_args=False),
            Normal(3.0 * means, scales, validate_args=False),
            validate_args=False,
        )
