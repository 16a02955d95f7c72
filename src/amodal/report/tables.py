"""Which rows of which tables an evaluation looks at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amodal.batch import Batch
from amodal.errors import DataError
from amodal.metrics import MOST_ROWS, ColumnFeatures, row_vectors, scaled_batch, subsample
from amodal.metrics.features import Vectors
from amodal.modalities import Modality
from amodal.report.results import Data
from amodal.table import BadCellPolicy, Table, encode, fingerprint

_MOST_TRAINING = 20_000
_ROWS_AT_ONCE = 1_024


@dataclass(frozen=True)
class RealRows:
    """Real rows, as `amodal.table.encode` gives them; `Batch.rows` are their numbers in their table.

    Attributes:
        heldout: all that are looked at of the held-out table.
        judged: those that the model is judged by.
        known: those that matchers learn from: training rows, or the held-out rows that are not judged.
        cut: whether there were more held-out rows.
    """

    heldout: Batch
    judged: Batch
    known: Batch
    cut: bool


def real_rows(
    heldout: Table,
    training: Table | None,
    modalities: Mapping[str, Modality],
    *,
    seed: int,
    bad_cells: BadCellPolicy,
) -> RealRows:
    """Read up to 2,000 rows to judge by, and as many others to learn from.

    Raises:
        DataError: a table has none of the columns, or cells that cannot be read.
    """
    for table in (heldout, training):
        if table is not None and not set(modalities) & set(table.columns):
            raise DataError(f"{table.source} has none of the model's columns: {', '.join(modalities)}.")
    most = MOST_ROWS if training is not None else 2 * MOST_ROWS
    looked_at = read_rows(heldout, modalities, subsample(len(heldout), seed, most), bad_cells)
    cut = len(looked_at) < len(heldout)
    if training is not None:
        known = read_rows(training, modalities, subsample(len(training), seed), bad_cells)
        return RealRows(looked_at, looked_at, known, cut)
    order = np.random.default_rng(seed).permutation(len(looked_at))
    half = (len(order) + 1) // 2
    judged, known = (looked_at[np.sort(part)] for part in (order[:half], order[half:]))
    return RealRows(looked_at, judged, known, cut)


def read_rows(
    table: Table, modalities: Mapping[str, Modality], rows: NDArray[np.int64], bad_cells: BadCellPolicy
) -> Batch:
    """Read some rows of a table; problems are told by the numbers that rows have in the table.

    Raises:
        DataError: cells cannot be read, and `bad_cells` is "error".
    """
    return encode(table, modalities, rows, bad_cells=bad_cells)


def training_vectors(
    table: Table, features: Mapping[str, ColumnFeatures], modalities: Mapping[str, Modality], *, seed: int
) -> tuple[Vectors, NDArray[np.int64]]:
    """Vectors (N, F) of up to 20,000 training rows, and the numbers (N,) of these rows."""
    rows = subsample(len(table), seed, _MOST_TRAINING)
    parts = []
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        some = read_rows(table, modalities, rows[start : start + _ROWS_AT_ONCE], "missing")
        parts.append(row_vectors(features, scaled_batch(some, modalities)))
    return np.concatenate(parts), rows


def described(table: Table, modalities: Mapping[str, Any]) -> Data:
    """What the report says of a table."""
    has = {name: modality for name, modality in modalities.items() if name in table.columns}
    return Data(source=Path(table.source).name, rows=len(table), fingerprint=fingerprint(table, has))
