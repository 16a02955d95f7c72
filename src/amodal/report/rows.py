"""The rows of tables that an evaluation reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from amodal.batch import Batch
from amodal.errors import DataError
from amodal.metrics import MOST_ROWS, subsample
from amodal.modalities import Modality
from amodal.table import BadCellPolicy, Table, encode


@dataclass(frozen=True)
class RealRows:
    """Real rows, as `amodal.table.encode` gives them; `Batch.rows` are their numbers in their table.

    Attributes:
        heldout: all that are read of the held-out table.
        evaluated: those that the model is evaluated on.
        reference: those that features, matchers and classifiers are fitted to: training rows, or the other half of
            the held-out rows.
        subsampled: whether there were more held-out rows.
    """

    heldout: Batch
    evaluated: Batch
    reference: Batch
    subsampled: bool


def real_rows(
    heldout: Table,
    training: Table | None,
    modalities: Mapping[str, Modality],
    *,
    seed: int,
    bad_cells: BadCellPolicy,
) -> RealRows:
    """Read up to 2,000 rows to evaluate on, and as many others as reference.

    Raises:
        DataError: a table has none of the columns, or cells that cannot be read.
    """
    for table in (heldout, training):
        if table is not None and not set(modalities) & set(table.columns):
            raise DataError(f"{table.source} has none of the model's columns: {', '.join(modalities)}.")
    most = MOST_ROWS if training is not None else 2 * MOST_ROWS
    rows = encode(heldout, modalities, subsample(len(heldout), seed, most), bad_cells=bad_cells)
    subsampled = len(rows) < len(heldout)
    if training is not None:
        reference = encode(training, modalities, subsample(len(training), seed), bad_cells=bad_cells)
        return RealRows(rows, rows, reference, subsampled)
    order = np.random.default_rng(seed).permutation(len(rows))
    half = (len(order) + 1) // 2
    evaluated, reference = (rows[np.sort(part)] for part in (order[:half], order[half:]))
    return RealRows(rows, evaluated, reference, subsampled)
