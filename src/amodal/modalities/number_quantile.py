"""Numbers as normal quantiles of their ranks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
import torch
from scipy.special import ndtr
from sklearn.preprocessing import QuantileTransformer
from torch import Tensor, nn

from amodal.errors import BadCells, RejectColumn, examples
from amodal.modalities.heads import BinnedHead, NormalHead
from amodal.modalities.modality import Modality
from amodal.nn import RankEncoder

_QUANTILES = 256
_CELLS_A_BIN = 12
_MIN_CELLS = 4
_MAX_SPREAD = 0.15
"""Width of a bin in deviations of the numbers, above which it may have few of them: a tail's bins are as narrow."""
_MIN_BINS = 8
_MAX_BINS = 64
_KNOTS = 10
_MAX_KNOTS = 24
_MAX_FEATURE = 3.0
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
        lower: least rank of each bin of a softmax head, 0 to 1; by default 16 equal ones.
        upper: greatest rank of each bin; equal to `lower` for a bin of a single, frequent value.
    """

    type: ClassVar[str] = "number"
    representation: ClassVar[str] = "quantile"
    unit: ClassVar[str] = "standard normal quantile of the rank"
    dtype: ClassVar[str] = "float32"
    is_ordered: ClassVar[bool] = True

    quantiles: tuple[float, ...]
    decimals: int
    lower: tuple[float, ...] = tuple(edge / 16 for edge in range(16))
    upper: tuple[float, ...] = tuple(edge / 16 for edge in range(1, 17))

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
        found = cls(**(state | options))
        lower, upper = found._rank_bins(finite)
        return replace(found, **({"lower": lower, "upper": upper} | options))

    def _rank_bins(self, values: np.ndarray[Any, Any]) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Bins of about equally many of the values (N,), fewer in a tail; a value as frequent as a bin has its own."""
        distinct, counts = np.unique(values, return_counts=True)
        most = np.clip(len(values) // _CELLS_A_BIN, _MIN_BINS, _MAX_BINS)
        single = counts >= (len(values) / most if len(distinct) > most else 1)
        size = max(counts[~single].sum() / most, _MIN_CELLS)
        # Between single values, a bin ends where its values are as many as a bin's, or differ by much.
        spread = _MAX_SPREAD * values.std()
        edges, count = [0], 0
        for index, number in enumerate(counts):
            count += number
            is_wide = count >= _MIN_CELLS and distinct[index] - distinct[edges[-1]] > spread
            is_next_to_single = single[index] or single[min(index + 1, len(counts) - 1)]
            if is_next_to_single or is_wide or count >= size:
                edges.append(index + 1)
                count = 0
        if edges[-1] != len(distinct):
            edges.append(len(distinct))
        middles = np.concatenate([distinct[:1], (distinct[:-1] + distinct[1:]) / 2, distinct[-1:]])
        starts, ends = np.array(edges[:-1]), np.array(edges[1:])
        alone = single[starts] & (ends == starts + 1)
        lower = np.where(alone, distinct[starts], middles[starts])
        upper = np.where(alone, distinct[starts], middles[ends])
        ranks = ndtr(self._quantiles_of(np.concatenate([lower, upper]))).reshape(2, -1)
        ranks[:, ~alone] = np.clip(ranks[:, ~alone], 0.0, 1.0)
        return tuple(ranks[0].tolist()), tuple(ranks[1].tolist())

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

    def comparable(self, cells: Sequence[Any] | pd.Series[Any]) -> np.ndarray[Any, Any]:
        series = pd.Series(cells)
        values = _as_numbers(series)
        wrong = np.flatnonzero(~np.isfinite(values))
        if len(wrong):
            raise BadCells({int(i): f"{series.iloc[i]!r} is not a finite number" for i in wrong})
        return values

    def to_tensor(self, cells: pd.Series[Any], root: Path | None) -> Tensor:
        values = self.comparable(cells)
        if not len(values):
            return torch.empty(0)
        return torch.from_numpy(self._quantiles_of(values).astype(np.float32))

    def _quantiles_of(self, values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """Standard normal quantiles (N,) of numbers (N,)."""
        return np.asarray(self._transformer().transform(values[:, None] / self._unit)[:, 0])

    def to_cells(self, tensor: Tensor) -> Sequence[Any]:
        if not len(tensor):
            return []
        ranks = tensor.detach().cpu().numpy().astype(np.float64)
        values = self._transformer().inverse_transform(ranks[:, None])[:, 0] * self._unit
        values = values.round(self.decimals)
        return [int(value) for value in values] if self.decimals == 0 else values.tolist()

    def encoder(self, features: int) -> nn.Module:
        middle = (np.array(self.lower) + np.array(self.upper)) / 2
        chosen = np.linspace(0, len(middle) - 1, min(len(middle), _MAX_KNOTS)).round().astype(int)
        return RankEncoder(np.unique(middle[chosen]).tolist(), features)

    def linear_features(self, tensor: Tensor) -> Tensor:
        """The quantile, and the share of each of a few bins that lies below the number: an additive spline."""
        knots = torch.linspace(0.0, 1.0, _KNOTS + 1, device=tensor.device)[:-1]
        passed = ((torch.special.ndtr(tensor)[:, None] - knots) * _KNOTS).clamp(0.0, 1.0)
        return torch.cat([tensor[:, None].clamp(-_MAX_FEATURE, _MAX_FEATURE), passed], dim=1)

    def head(self, context: int) -> nn.Module:
        """Bins of the rank: given other columns a number is often in one of several ranges, or has a frequent value."""
        return BinnedHead(context, self.lower, self.upper, self.quantiles)

    def decoder(self, latent: int) -> nn.Module:
        return NormalHead(latent)


def _decimals(values: np.ndarray[Any, Any], limit: int = 6) -> int:
    """Digits after the point of the values, up to `limit`, or as many significant ones of values below 1."""
    for decimals in range(limit):
        if np.allclose(values, values.round(decimals), rtol=1e-9, atol=1e-12):
            return decimals
    largest = np.abs(values).max()
    return limit if largest >= 1 or largest == 0 else limit - math.floor(math.log10(largest))
