"""Categories, one-hot."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from amodal.errors import BadCells, RejectColumn, examples
from amodal.modalities.heads import CategoricalHead
from amodal.modalities.modality import Modality
from amodal.nn import LabelEncoder

_MAX_LINEAR_LABELS = 1_024
_MAX_SHARE = 0.5
"""Largest share of distinct cells among all."""


def label_of(cell: object) -> str:
    """A cell's label as text: the same for 7, 7.0 (a column of whole numbers with holes) and "7".

    Example:
        >>> label_of(7.0), label_of("7"), label_of(True)
        ('7', '7', 'true')
    """
    if isinstance(cell, (bool, np.bool_)):
        return str(bool(cell)).lower()
    if isinstance(cell, (float, np.floating)) and float(cell).is_integer():
        return str(int(cell))
    return str(cell)


def _cell_type(cells: pd.Series[Any]) -> str:
    if pd.api.types.is_bool_dtype(cells.dtype) or all(isinstance(cell, bool) for cell in cells):
        return "boolean"
    if pd.api.types.is_numeric_dtype(cells.dtype):
        return "integer" if all(float(cell).is_integer() for cell in cells) else "number"
    return "text"


_PARSE: dict[str, Callable[[str], Any]] = {
    "boolean": lambda label: label == "true",
    "integer": int,
    "number": float,
    "text": str,
}
"""Cell type -> the cell of a label."""


@dataclass(frozen=True)
class CategoryOneHot(Modality):
    """One of the column's labels, stored as its number; encoders embed it, heads are a softmax.

    Attributes:
        labels: as text, sorted.
        cell_type: what cells are: "text", "integer", "number" or "boolean".
    """

    type: ClassVar[str] = "category"
    representation: ClassVar[str] = "one_hot"
    unit: ClassVar[str] = "1 for the cell's label, 0 for others"
    dtype: ClassVar[str] = "int64"
    draw_rank: ClassVar[int] = 0

    labels: tuple[str, ...]
    cell_type: str

    @classmethod
    def detect(cls, cells: pd.Series[Any], root: Path | None) -> str:
        labels = cells.map(label_of)
        distinct = labels.nunique()
        if distinct > max(2.0, _MAX_SHARE * len(labels)):
            raise RejectColumn(
                f"{distinct} distinct among {len(labels)} sampled cells: too many for categories"
            )
        if labels.str.count(" ").mean() >= 2 and distinct > 10:
            raise RejectColumn("cells of several words are a text")
        if not labels.str.isascii().all() and labels.str.len().mean() > 6 and distinct > 10:
            raise RejectColumn("long cells in a script without spaces are a text")
        return f"{distinct} distinct labels among {len(labels)} sampled cells"

    @classmethod
    def fit(cls, cells: pd.Series[Any], root: Path | None, **options: Any) -> Self:
        labels = tuple(sorted(cells.map(label_of).unique().tolist()))
        if not labels:
            raise RejectColumn("no cell")
        return cls(**({"labels": labels, "cell_type": _cell_type(cells)} | options))

    @property
    def shape(self) -> tuple[int, ...]:
        return ()

    @property
    def feature_shape(self) -> tuple[int, ...]:
        return (len(self.labels),)

    @property
    def summary(self) -> str:
        return f"{len(self.labels)} labels"

    @property
    def num_outcomes(self) -> int:
        return len(self.labels)

    def comparable(self, cells: Sequence[Any] | pd.Series[Any]) -> np.ndarray[Any, Any]:
        """Labels as text, or as the numbers that they are."""
        labels = [label_of(cell) for cell in cells]
        if self.cell_type not in ("integer", "number"):
            return np.array(labels, dtype=object)
        try:
            return np.array(labels, dtype=np.float64)
        except ValueError as problem:
            raise BadCells(dict.fromkeys(range(len(labels)), "is not a number")) from problem

    def to_tensor(self, cells: pd.Series[Any], root: Path | None) -> Tensor:
        numbers = {label: number for number, label in enumerate(self.labels)}
        codes = cells.map(label_of).map(numbers)
        unseen = np.flatnonzero(codes.isna())
        if len(unseen):
            known = examples(self.labels, 5)
            raise BadCells({int(i): f"{cells.iloc[i]!r} was not seen in training ({known})" for i in unseen})
        return torch.from_numpy(codes.to_numpy(dtype=np.int64, copy=True))

    def features(self, tensor: Tensor) -> Tensor:
        """The labels one-hot."""
        return nn.functional.one_hot(tensor.long(), len(self.labels)).float()

    vector = features

    def linear_features(self, tensor: Tensor) -> Tensor:
        """The labels one-hot; many labels share 1,024 places."""
        size = min(len(self.labels), _MAX_LINEAR_LABELS)
        return nn.functional.one_hot(tensor.long() % size, size).float()

    def to_cells(self, tensor: Tensor) -> Sequence[Any]:
        parse = _PARSE[self.cell_type]
        return [parse(self.labels[number]) for number in tensor.tolist()]

    def encoder(self, features: int) -> nn.Module:
        return LabelEncoder(len(self.labels), features)

    def head(self, context: int) -> nn.Module:
        return CategoricalHead(context, len(self.labels))
