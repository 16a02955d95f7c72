"""Forms of cells that hold a set of labels: lists, sets, arrays, JSON lists, texts with a separator."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from amodal.errors import RejectColumn
from amodal.modalities.category_one_hot import label_of
from amodal.modalities.cell_types import cell_type_of, parse_cell

_SEPARATORS = ("|", ";", ",")
_CONTAINERS: dict[str, Any] = {
    "list": list,
    "tuple": tuple,
    "set": set,
    "frozenset": frozenset,
    "array": np.ndarray,
}
_TYPES: Any = tuple(_CONTAINERS.values())
_MAX_WORDS = 3
_MAX_LETTERS = 30
_LEAST_REPEATS = 4.0
_LEAST_SHARE = 0.05
_FEWEST = 0.8
_MAX_SCALAR = 200


@dataclass(frozen=True)
class TagForm:
    """Form in which the cells of a column hold their labels.

    Attributes:
        container: "list", "tuple", "set", "frozenset", "array", "json" for a text of a JSON list, or "text".
        separator: between the labels of a text, as "; ".
        label_type: what the labels of other cells are, see `cell_type_of`.
    """

    container: str = "list"
    separator: str = ", "
    label_type: str = "text"

    def parse(self, cell: Any) -> list[str] | None:
        """The labels of a cell, as text; None for a cell that holds none."""
        if isinstance(cell, str):
            found = _json_list(cell)
            if found is not None:
                return [label_of(each) for each in found]
            if self.container != "text":
                return None
            return [part.strip() for part in cell.split(self.separator.strip()) if part.strip()]
        if isinstance(cell, _TYPES):
            return [label_of(each) for each in cell]
        return None

    def write(self, labels: Sequence[str]) -> Any:
        """The cell of labels."""
        if self.container == "text":
            return self.separator.join(labels)
        values = [parse_cell(self.label_type, label) for label in labels]
        if self.container == "json":
            return json.dumps(values, ensure_ascii=False)
        if self.container == "array":
            array = np.empty(len(values), dtype=object)
            array[:] = values
            return array if self.label_type == "text" else np.array(values)
        return _CONTAINERS[self.container](values)


def find_tag_form(cells: pd.Series[Any]) -> TagForm:
    """The form of a column's cells.

    Raises:
        RejectColumn: they are no sets of labels that repeat.
    """
    sample = cells.tolist()
    kinds = Counter(_container(cell) for cell in sample)
    container, count = kinds.most_common(1)[0]
    if container is None or count < _FEWEST * len(sample):
        raise RejectColumn("cells are no lists of labels")
    if container != "text":
        labels = [label for cell in sample for label in (_labels(cell) or ())]
        if not labels or not all(pd.api.types.is_hashable(label) for label in labels):
            raise RejectColumn("cells are no lists of labels")
        kind = cell_type_of(labels)
        if kind == "number" or kind not in ("text", "integer", "boolean"):
            raise RejectColumn(
                "lists of numbers and no labels" if kind == "number" else "cells are no lists of labels"
            )
        if len({type(label) for label in labels}) > 1:
            raise RejectColumn("lists of values of several types")
        form = TagForm(container, label_type=kind)
        _check_repeats([form.parse(cell) or [] for cell in sample])
        return form
    texts = [cell for cell in sample if isinstance(cell, str)]
    for mark in _SEPARATORS:
        parts = [[part.strip() for part in text.split(mark)] for text in texts]
        if not _are_tags(parts):
            continue
        after = Counter(space for text in texts for space in re.findall(rf"{re.escape(mark)}( ?)", text))
        before = Counter(space for text in texts for space in re.findall(rf"( ?){re.escape(mark)}", text))
        separator = f"{before.most_common(1)[0][0]}{mark}{after.most_common(1)[0][0]}"
        return TagForm("text", separator)
    raise RejectColumn("no separator of labels that repeat")


def _container(cell: Any) -> str | None:
    if isinstance(cell, str):
        return "json" if _json_list(cell) is not None else "text"
    return next((name for name, kind in _CONTAINERS.items() if isinstance(cell, kind)), None)


def _labels(cell: Any) -> list[Any] | None:
    return _json_list(cell) if isinstance(cell, str) else list(cell) if isinstance(cell, _TYPES) else None


def _json_list(text: str) -> list[Any] | None:
    if not (text.startswith("[") and text.endswith("]")):
        return None
    for candidate in (text, text.replace("'", '"')):
        try:
            found = json.loads(candidate)
        except ValueError:
            continue
        if isinstance(found, list) and all(isinstance(each, (str, int, bool)) for each in found):
            return found
    return None


def _are_tags(parts: list[list[str]]) -> bool:
    """True for parts that are short, repeat, and are not always as many, as those of an address are."""
    counts = Counter(map(len, parts))
    if len(counts) < 2 or counts.most_common(1)[0][1] > (1 - _LEAST_SHARE) * len(parts):
        return False
    every = [part for each in parts for part in each]
    if any(not part or len(part) > _MAX_LETTERS or part.count(" ") >= _MAX_WORDS for part in every):
        return False
    if any(len(set(each)) < len(each) for each in parts) or all(part[0].isdigit() for part in every):
        return False
    return len(every) >= _LEAST_REPEATS * len(set(every)) and sum(len(each) for each in parts) > 1.2 * len(
        parts
    )


def _check_repeats(labels: list[list[str]]) -> None:
    every = [label for each in labels for label in each]
    if len(every) < 2 * len(set(every)) and len(set(every)) > 20:
        raise RejectColumn(f"lists of {len(set(every))} different labels, which seldom repeat")
    if max(map(len, labels)) > _MAX_SCALAR:
        raise RejectColumn(f"lists of up to {max(map(len, labels))} labels, which are sequences")
