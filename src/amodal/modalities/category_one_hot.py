"""Categories, one-hot."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from amodal.errors import BadCells, RejectColumn, examples
from amodal.modalities.cell_types import cell_type_of, parse_cell
from amodal.modalities.heads import CategoricalHead
from amodal.modalities.modality import Modality
from amodal.nn import LabelEncoder

_MAX_LINEAR_LABELS = 1_024
_MAX_SHARE = 0.5
"""Largest share of distinct cells among all."""
_WHOLE = re.compile(r"([+-]?\d+)\.0*")
_DECIMAL = re.compile(r"([+-]?\d+\.\d*?[1-9])0+")
_MIDNIGHT = re.compile(r"(\d{4}-\d\d-\d\d)[T ]00:00:00(\.0+)?")
_PLAIN_WHOLE = re.compile(r"0|-?[1-9]\d{0,14}")


def label_of(cell: object) -> str:
    """A cell's label as text: the same for 7 and 7.0 (a column of whole numbers with holes).

    Example:
        >>> label_of(7.0), label_of("7"), label_of(True)
        ('7', '7', 'true')
    """
    if isinstance(cell, (bool, np.bool_)):
        return str(bool(cell)).lower()
    if isinstance(cell, (float, np.floating)) and float(cell).is_integer():
        return str(int(cell))
    return str(cell)


def canonical(label: str) -> str:
    """A label as other formats write it too: "2" for "2.0", "true" for "True", a date without midnight.

    Example:
        >>> canonical("2.0"), canonical("TRUE"), canonical("2023-01-05 00:00:00"), canonical("1.50")
        ('2', 'true', '2023-01-05', '1.5')
    """
    label = label.strip()
    if label.lower() in ("true", "false"):
        return label.lower()
    for pattern in (_WHOLE, _DECIMAL, _MIDNIGHT):
        if match := pattern.fullmatch(label):
            return match[1]
    return label


@dataclass(frozen=True)
class CategoryOneHot(Modality):
    """One of the column's labels, stored as its number; encoders embed it, heads are a softmax.

    Attributes:
        labels: as text, sorted.
        cell_type: what cells are, as `cell_type_of` names it: "text", "integer", "boolean", "timestamp" ...
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
        labels = cells.astype(object).map(label_of)
        distinct = labels.nunique()
        if distinct > max(2.0, _MAX_SHARE * len(labels)):
            raise RejectColumn(
                f"{distinct} distinct among {len(labels)} sampled cells: too many for categories"
            )
        if labels.str.count(" ").mean() >= 2 and distinct > 10 and cell_type_of(cells) == "text":
            raise RejectColumn("cells of several words are a text")
        if not labels.str.isascii().all() and labels.str.len().mean() > 6 and distinct > 10:
            raise RejectColumn("long cells in a script without spaces are a text")
        return f"{distinct} distinct labels among {len(labels)} sampled cells"

    @classmethod
    def fit(cls, cells: pd.Series[Any], root: Path | None, **options: Any) -> Self:
        objects = cells.astype(object)
        labels = tuple(sorted(objects.map(label_of).unique().tolist()))
        if not labels:
            raise RejectColumn("no cell")
        cell_type = cell_type_of(objects)
        if cell_type == "number" and all(_PLAIN_WHOLE.fullmatch(label) for label in labels):
            cell_type = "integer"
        return cls(**({"labels": labels, "cell_type": cell_type} | options))

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

    def _numbers(self) -> dict[str, int]:
        """Label -> its number, as written, and in its canonical form where that is no other label's."""
        numbers = {label: number for number, label in enumerate(self.labels)}
        alike = Counter(map(canonical, self.labels))
        others = {
            canonical(label): number
            for number, label in enumerate(self.labels)
            if alike[canonical(label)] == 1
        }
        return others | numbers

    def to_tensor(self, cells: pd.Series[Any], root: Path | None) -> Tensor:
        numbers = self._numbers()
        labels = cells.astype(object).map(label_of)
        codes = labels.map(lambda label: numbers.get(label, numbers.get(canonical(label))))
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
        cells = [parse_cell(self.cell_type, label) for label in self.labels]
        return [cells[number] for number in tensor.tolist()]

    def match(self, drawn: Sequence[Any], own: pd.Series[Any]) -> Sequence[Any]:
        kind = cell_type_of(own)
        known: dict[str, Any] = {}
        for cell in own.unique():
            known.setdefault(label_of(cell), cell)
            known.setdefault(canonical(label_of(cell)), cell)
        labels = [label_of(cell) for cell in drawn]
        return [
            known.get(
                label,
                known.get(canonical(label), cell if kind == self.cell_type else parse_cell(kind, label)),
            )
            for label, cell in zip(labels, drawn, strict=True)
        ]

    def parse_text(self, cells: Sequence[Any]) -> Sequence[Any]:
        if self.cell_type == "text" and not all(_PLAIN_WHOLE.fullmatch(label) for label in self.labels):
            return cells
        cell_type = "integer" if self.cell_type == "text" else self.cell_type
        return [parse_cell(cell_type, cell) if isinstance(cell, str) else cell for cell in cells]

    def encoder(self, features: int) -> nn.Module:
        return LabelEncoder(len(self.labels), features)

    def head(self, context: int) -> nn.Module:
        return CategoricalHead(context, len(self.labels))
