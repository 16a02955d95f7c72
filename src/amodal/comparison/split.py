"""Rows to fit, and others to judge by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from amodal.errors import DataError
from amodal.metrics import MOST_ROWS, column_metrics
from amodal.modalities import Modality
from amodal.table import Table

_SHARE = 0.2
_ENOUGH = 100  # most metrics need 50 rows, and their intervals are wide still


@dataclass(frozen=True)
class Split:
    """A table in two parts, rows of both in the table's order.

    Attributes:
        training: what methods are fitted to.
        heldout: what they are judged by.
    """

    training: Table
    heldout: Table


def split_table(table: Table, modalities: Mapping[str, Modality], seed: int) -> Split:
    """Hold out a fifth of the rows, or 100 where that is fewer and no more than half; at most 2,000.

    One row of each label of each category stays to be fitted, as a model draws only labels that it knows.

    Raises:
        DataError: the table has one row.
    """
    rows = len(table)
    if rows < 2:
        raise DataError(f"{table.source} has one row, which cannot be both fitted and judged by.")
    count = min(MOST_ROWS, max(round(_SHARE * rows), min(_ENOUGH, rows // 2)))
    order = np.random.default_rng(seed).permutation(rows)
    labels = [name for name, modality in modalities.items() if column_metrics(modality).is_categorical]
    kept = {row for name in labels for row in _first_of_each(table.frame[name], order)}
    heldout = np.sort([row for row in order if row not in kept][:count])
    training = np.setdiff1d(order, heldout)
    return Split(
        _part(table, training, f"{table.source} (fitted part)"),
        _part(table, heldout, f"{table.source} (held-out part)"),
    )


def _first_of_each(cells: pd.Series, order: NDArray[np.int64]) -> list[int]:
    """The rows of the first cell of each label, in the order given."""
    mixed = cells.iloc[order].dropna()
    return [int(row) for row in mixed.index[~mixed.astype("str").duplicated()]]


def _part(table: Table, rows: NDArray[np.int64], source: str) -> Table:
    return replace(table, frame=table.frame.iloc[rows].reset_index(drop=True), source=source)
