"""Tags: sets of labels, multi-hot."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from amodal.errors import BadCells, RejectColumn
from amodal.modalities.heads import TagHead
from amodal.modalities.modality import Modality
from amodal.modalities.tag_form import TagForm, find_tag_form
from amodal.nn import Dense

_MAX_TAGS = 256


@dataclass(frozen=True)
class TagsMultiHot(Modality):
    """A set of labels in one cell: for each of the column's most frequent labels 1 where the set has it.

    Attributes:
        labels: the most frequent ones, up to 256, in the order in which cells have them.
        num_labels: how many the column has.
        has_empty: some cells have no label.
        form: how cells hold them.
    """

    type: ClassVar[str] = "tags"
    representation: ClassVar[str] = "multi_hot"
    unit: ClassVar[str] = "1 for each label of the cell, 0 for others"
    dtype: ClassVar[str] = "uint8"
    draw_rank: ClassVar[int] = 1
    detection_cells: ClassVar[int] = 20_000
    is_specific: ClassVar[bool] = True

    labels: tuple[str, ...]
    num_labels: int
    has_empty: bool = True
    form: TagForm = field(default_factory=TagForm)

    def __post_init__(self) -> None:
        if isinstance(self.form, dict):
            object.__setattr__(self, "form", TagForm(**self.form))

    @classmethod
    def detect(cls, cells: pd.Series[Any], root: Path | None) -> str:
        form = find_tag_form(cells)
        noun = (
            f"labels with {form.separator!r} between them"
            if form.container == "text"
            else f"labels ({form.container})"
        )
        return f"cells are sets of {noun}"

    @classmethod
    def fit(cls, cells: pd.Series[Any], root: Path | None, **options: Any) -> Self:
        form = options.get("form") or _form_of(cells)
        form = TagForm(**form) if isinstance(form, dict) else form
        sets = [form.parse(cell) or [] for cell in cells]
        counts = Counter(label for labels in sets for label in dict.fromkeys(labels))
        if not counts:
            raise RejectColumn("no cell has a label")
        frequent = sorted(counts, key=lambda label: (-counts[label], label))[:_MAX_TAGS]
        state: dict[str, Any] = {
            "labels": _ordered(frequent, sets),
            "num_labels": len(counts),
            "has_empty": not all(sets),
        }
        return cls(**(state | options | {"form": form}))

    @property
    def shape(self) -> tuple[int, ...]:
        return (len(self.labels),)

    @property
    def summary(self) -> str:
        if self.num_labels <= len(self.labels):
            return f"{len(self.labels)} labels"
        return f"the {len(self.labels)} most frequent of {self.num_labels} labels; others are never drawn"

    @property
    def size(self) -> float:
        return 1.0

    def to_tensor(self, cells: pd.Series[Any], root: Path | None) -> Tensor:
        places = {label: place for place, label in enumerate(self.labels)}
        found, wrong = np.zeros((len(cells), len(self.labels)), np.uint8), {}
        for row, cell in enumerate(cells):
            labels = self.form.parse(cell)
            if labels is None:
                wrong[row] = f"{cell!r} is no set of labels"
                continue
            found[row, [places[label] for label in labels if label in places]] = 1
        if wrong:
            raise BadCells(wrong)
        return torch.from_numpy(found)

    def scale(self, tensor: Tensor) -> Tensor:
        return tensor.float()

    def to_cells(self, tensor: Tensor) -> Sequence[Any]:
        return [
            self.form.write([label for label, has in zip(self.labels, row, strict=True) if has > 0.5])
            for row in tensor.tolist()
        ]

    def encoder(self, features: int) -> nn.Module:
        return nn.Sequential(Dense(len(self.labels), features, features), nn.GELU())

    def head(self, context: int) -> nn.Module:
        return TagHead(context, len(self.labels), has_empty=self.has_empty)


def _form_of(cells: pd.Series[Any]) -> TagForm:
    """The form of cells; of texts of which no separator is found, ", "."""
    try:
        return find_tag_form(cells)
    except RejectColumn:
        if not all(isinstance(cell, str) for cell in cells):
            raise
        return TagForm("text")


def _ordered(labels: Sequence[str], sets: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """Labels by their mean place in cells: the order in which most have them."""
    places: dict[str, list[float]] = {label: [] for label in labels}
    for each in sets:
        for place, label in enumerate(each):
            if label in places:
                places[label].append(place / max(len(each) - 1, 1))
    return tuple(sorted(labels, key=lambda label: (round(float(np.mean(places[label])), 6), label)))
