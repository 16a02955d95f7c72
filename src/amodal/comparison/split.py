"""Training and held-out rows of a comparison."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from amodal.errors import DataError
from amodal.metrics import MOST_ROWS, column_metrics
from amodal.modalities import Modality
from amodal.table import Table

_HELDOUT_FRACTION = 0.2
_MIN_HELDOUT = 100  # most metrics need 50 rows, and their intervals are wide still


@dataclass(frozen=True)
class Split:
    """A table in two disjoint parts, each in the table's row order.

    Attributes:
        training: rows that methods are fitted to.
        heldout: rows that methods are scored on.
    """

    training: Table
    heldout: Table


def split_table(table: Table, modalities: Mapping[str, Modality], seed: int) -> Split:
    """Hold out a fifth of the rows, or 100 where that is fewer and no more than half; at most 2,000.

    One row of each label of each category column stays in the training part, as models draw only labels seen there.

    Raises:
        DataError: the table has one row.
    """
    num_rows = len(table)
    if num_rows < 2:
        raise DataError(f"{table.source} has one row, which cannot be both fitted and judged by.")
    num_heldout = min(MOST_ROWS, max(round(_HELDOUT_FRACTION * num_rows), min(_MIN_HELDOUT, num_rows // 2)))
    order = np.random.default_rng(seed).permutation(num_rows)
    categories = [name for name, modality in modalities.items() if column_metrics(modality).is_categorical]
    reserved = {row for name in categories for row in _first_rows(table.frame[name], order)}
    heldout = np.sort([row for row in order if row not in reserved][:num_heldout])
    training = np.setdiff1d(order, heldout)
    return Split(
        _take(table, training, f"{table.source} (fitted part)"),
        _take(table, heldout, f"{table.source} (held-out part)"),
    )


def _first_rows(cells: pd.Series, order: NDArray[np.int64]) -> list[int]:
    """The first row of each label, in this order of rows."""
    shuffled = cells.iloc[order].dropna()
    return [int(row) for row in shuffled.index[~shuffled.astype("str").duplicated()]]


def _take(table: Table, rows: NDArray[np.int64], source: str) -> Table:
    return Table(table.frame.iloc[rows].reset_index(drop=True), table.root, source)
