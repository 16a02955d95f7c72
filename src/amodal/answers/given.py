"""Given cells of generated rows."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from amodal.errors import DataError
from amodal.modalities import Modality
from amodal.table import Table, encode_cells

_STORED = torch.tensor([-6.0, 6.0])
"""The least and greatest stored number of ordered types."""


def check_given(given: Mapping[str, Any], modalities: Mapping[str, Modality], root: Path) -> None:
    """Check that columns can have given cells.

    Args:
        given: column -> cell.
        modalities: column -> fitted modality.
        root: the folder that paths are relative to.

    Raises:
        DataError: a cell cannot be read, was not seen in training, or is a number out of the column's range.
    """
    for name, cell in given.items():
        frame = pd.DataFrame({name: pd.Series([cell], dtype=object)})
        _, bad = encode_cells(Table(frame, root, "given"), {name: modalities[name]})
        call = f'given={{"{name}": "{cell}"}}'
        if bad:
            raise DataError(f"{call}: {bad[0].reason}.")
        if modalities[name].is_ordered and not pd.isna(cell):
            ends = modalities[name].to_cells(_STORED)
            least, greatest = modalities[name].comparable(ends)
            if not least <= modalities[name].comparable([cell])[0] <= greatest:
                raise DataError(f"{call}: the cells of {name!r} in training go from {ends[0]} to {ends[1]}.")
