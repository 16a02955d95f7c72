"""The base class of column types whose cells are in order and far apart by an amount."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from amodal.errors import BadCells
from amodal.modalities.heads import BinnedHead, NormalHead
from amodal.modalities.missing_marks import missing_marks
from amodal.modalities.modality import Modality
from amodal.modalities.rank_transform import (
    Numbers,
    fit_quantiles,
    from_normal,
    rank_bins,
    standardise,
    to_normal,
)
from amodal.nn import RankEncoder

_KNOTS = 10
_MAX_KNOTS = 24
_MAX_FEATURE = 3.0
_ROUNDING = 1e-9


@dataclass(frozen=True)
class RankModality(Modality):
    """A cell that is an amount, as the standard normal quantile of its rank.

    Any scale, skew or tail becomes a normal distribution, and draws lie within the column's range.

    Attributes:
        quantiles: of the column at `ranks`, ascending.
        ranks: ascending, 0 to 1; evenly spaced by default.
        lower: least rank of each bin of a softmax head, 0 to 1; by default 16 equal ones.
        upper: greatest rank of each bin; equal to `lower` for a bin of a single, frequent value.
    """

    representation: ClassVar[str] = "quantile"
    unit: ClassVar[str] = "standard normal quantile of the rank"
    dtype: ClassVar[str] = "float32"
    detection_cells: ClassVar[int] = 20_000
    is_ordered: ClassVar[bool] = True

    quantiles: tuple[float, ...]
    ranks: tuple[float, ...] = ()
    lower: tuple[float, ...] = tuple(edge / 16 for edge in range(16))
    upper: tuple[float, ...] = tuple(edge / 16 for edge in range(1, 17))

    @classmethod
    def is_missing(cls, cells: pd.Series[Any]) -> NDArray[np.bool_]:
        return missing_marks(cells)

    @staticmethod
    def fit_ranks(values: Numbers) -> dict[str, Any]:
        """The fields of this class, fitted to finite numbers (N,)."""
        ranks, quantiles = fit_quantiles(values)
        lower, upper = rank_bins(values, ranks, quantiles)
        return {
            "quantiles": tuple(quantiles.tolist()),
            "ranks": tuple(ranks.tolist()),
            "lower": lower,
            "upper": upper,
        }

    @abstractmethod
    def parse(self, cells: pd.Series[Any]) -> Numbers:
        """Amounts (N,) of cells, not finite where a cell is not of this type."""

    @abstractmethod
    def write(self, values: Numbers) -> list[Any]:
        """Cells of amounts (N,), as `round` returns them."""

    @abstractmethod
    def round(self, values: Numbers) -> Numbers:
        """Amounts (N,) as cells have them."""

    @property
    @abstractmethod
    def noun(self) -> str:
        """The noun for a cell of the type in messages, as "a finite number"."""

    @property
    def amount_unit(self) -> str:
        """Unit of the amounts, in metrics."""
        return "the column's own"

    @property
    def shape(self) -> tuple[int, ...]:
        return ()

    @cached_property
    def _points(self) -> tuple[Numbers, Numbers]:
        """Ranks and quantiles."""
        ranks = np.array(self.ranks or np.linspace(0.0, 1.0, len(self.quantiles)))
        return ranks, np.array(self.quantiles)

    def comparable(self, cells: Sequence[Any] | pd.Series[Any]) -> Numbers:
        """Amounts, in a unit that columns of the type have in common."""
        return self.finite_amounts(cells)

    def finite_amounts(self, cells: Sequence[Any] | pd.Series[Any]) -> Numbers:
        """Amounts (N,) of cells.

        Raises:
            BadCells: some cells are of another type.
        """
        series = cells if isinstance(cells, pd.Series) else pd.Series(list(cells), dtype=object)
        values = self.parse(series)
        wrong = np.flatnonzero(~np.isfinite(values))
        if len(wrong):
            raise BadCells({int(i): f"{series.iloc[i]!r} is not {self.noun}" for i in wrong})
        return values

    def from_comparable(self, values: Numbers) -> Sequence[Any]:
        rounded = self.round(values)
        # Digits that the column's own numbers do not have are kept.
        is_same = np.abs(rounded - values) <= _ROUNDING * np.maximum(1.0, np.abs(values))
        return self.write(np.where(is_same, rounded, values))

    def to_tensor(self, cells: pd.Series[Any], root: Path | None) -> Tensor:
        return self.to_quantiles(self.finite_amounts(cells))

    def to_quantiles(self, values: Numbers) -> Tensor:
        """The scaled tensor (N,) of amounts (N,)."""
        return torch.from_numpy(to_normal(values, *self._points))

    def amounts(self, tensor: Tensor) -> Numbers:
        """Amounts (N,) of scaled cells (N,), as a user gets them."""
        return self.round(from_normal(tensor.detach().float().cpu().numpy(), *self._points))

    def to_cells(self, tensor: Tensor) -> Sequence[Any]:
        return self.write(self.amounts(tensor))

    def encoder(self, features: int) -> nn.Module:
        return RankEncoder(self._knots(), features)

    def _knots(self) -> list[float]:
        """Ranks between which an embedding is linear."""
        middle = (np.array(self.lower) + np.array(self.upper)) / 2
        chosen = np.linspace(0, len(middle) - 1, min(len(middle), _MAX_KNOTS)).round().astype(int)
        knots: list[float] = np.unique(middle[chosen]).tolist()
        return knots

    def linear_features(self, tensor: Tensor) -> Tensor:
        """The quantile, and the share of each of a few bins that lies below the number: an additive spline."""
        knots = torch.linspace(0.0, 1.0, _KNOTS + 1, device=tensor.device)[:-1]
        passed = ((torch.special.ndtr(tensor)[:, None] - knots) * _KNOTS).clamp(0.0, 1.0)
        return torch.cat([tensor[:, None].clamp(-_MAX_FEATURE, _MAX_FEATURE), passed], dim=1)

    def head(self, context: int) -> nn.Module:
        """Bins of the rank: given other columns a number is often in one of several ranges, or has a frequent value."""
        ranks, quantiles = self._points
        return BinnedHead(
            context, self.lower, self.upper, standardise(ranks, quantiles).tolist(), ranks.tolist()
        )

    def decoder(self, latent: int) -> nn.Module:
        return NormalHead(latent)
