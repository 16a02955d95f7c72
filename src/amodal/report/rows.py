"""The rows of tables that an evaluation reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from amodal.batch import Batch
from amodal.errors import DataError
from amodal.metrics import MOST_ROWS, subsample
from amodal.modalities import Modality
from amodal.table import BadCellPolicy, Table, bad_cell_error, check_policy, encode_cells, row_number


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
    rows = read_rows(heldout, modalities, subsample(len(heldout), seed, most), bad_cells)
    subsampled = len(rows) < len(heldout)
    if training is not None:
        reference = read_rows(training, modalities, subsample(len(training), seed), bad_cells)
        return RealRows(rows, rows, reference, subsampled)
    order = np.random.default_rng(seed).permutation(len(rows))
    half = (len(order) + 1) // 2
    evaluated, reference = (rows[np.sort(part)] for part in (order[:half], order[half:]))
    return RealRows(rows, evaluated, reference, subsampled)


def read_rows(
    table: Table, modalities: Mapping[str, Modality], rows: NDArray[np.int64], bad_cells: BadCellPolicy
) -> Batch:
    """Read some rows of a table; problems are located by the rows' numbers in the table.

    Raises:
        DataError: cells cannot be read, and `bad_cells` is "error".
    """
    check_policy(bad_cells)
    some = replace(table, frame=table.frame.iloc[rows].reset_index(drop=True))
    batch, bad = encode_cells(some, modalities)
    bad = tuple(replace(cell, row=row_number(int(rows[cell.row - row_number(0)]))) for cell in bad)
    problem = bad_cell_error(bad, [], table.source)
    if problem and bad_cells == "error":
        raise problem
    return replace(batch, rows=torch.from_numpy(rows))
