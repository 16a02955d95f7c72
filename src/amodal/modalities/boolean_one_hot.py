"""Truth values, one-hot."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from amodal.errors import RejectColumn, examples
from amodal.modalities.category_one_hot import CategoryOneHot, label_of
from amodal.modalities.missing_marks import missing_marks, without_marks

_WORDS = (("false", "true"), ("no", "yes"), ("n", "y"), ("f", "t"), ("off", "on"))


@dataclass(frozen=True)
class BooleanOneHot(CategoryOneHot):
    """True or false, as the column writes them: truth values, or one of the pairs true/false, yes/no, y/n, t/f, on/off.

    Numbers 0 and 1 are categories, unless the type is given.
    """

    type: ClassVar[str] = "boolean"
    detection_cells: ClassVar[int] = 20_000
    is_specific: ClassVar[bool] = True

    @classmethod
    def is_missing(cls, cells: pd.Series[Any]) -> NDArray[np.bool_]:
        return missing_marks(cells)

    @classmethod
    def detect(cls, cells: pd.Series[Any], root: Path | None) -> str:
        others, marks = without_marks(cells)
        objects = others.astype(object)
        if isinstance(others.dtype, pd.CategoricalDtype):
            raise RejectColumn("the column's dtype says that it is a category")
        if all(isinstance(cell, (bool, np.bool_)) for cell in objects):
            return f"all {len(objects)} cells looked at are true or false{marks}"
        labels = objects.map(label_of)
        words = {label.strip().lower() for label in labels.unique()}
        if len(words) != 2 or tuple(sorted(words)) not in _WORDS:
            raise RejectColumn(f"not true or false: {examples([repr(cell) for cell in objects])}")
        return f"all {len(objects)} cells looked at are {' or '.join(sorted(words))}{marks}"
