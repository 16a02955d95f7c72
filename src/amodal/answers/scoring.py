"""Surprise of rows and cells, given the rest of their row."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from amodal.batch import Batch
from amodal.distributions import RowNoise
from amodal.inference import map_slices
from amodal.models import GenerativeModel


def cell_surprises(
    model: GenerativeModel, batch: Batch, *, num_samples: int, seed: int
) -> NDArray[np.float64]:
    """-log p(cell | the row's other present cells) in nats, (N, M); NaN where a cell is missing."""

    def score(rows: Batch, noise: RowNoise) -> NDArray[np.float64]:
        surprises = -model.cell_log_prob(rows, noise, num_samples).double().cpu().numpy()
        return np.where(rows.present.cpu().numpy(), surprises, np.nan)

    return np.concatenate(list(map_slices(model, batch, score, seed=seed)))


def score_table(surprises: NDArray[np.float64], columns: Sequence[str], index: pd.Index) -> pd.DataFrame:
    """Rows by how surprising their most surprising cell is, outliers first.

    A column's surprises are standardised by its median and its median absolute deviation (times 1.4826, which gives
    the standard deviation of a normal distribution) or, of nearly certain columns, by one nat, so that columns compare.

    Args:
        surprises: (N, M), in nats; NaN where a cell is missing.
        columns: M names.
        index: of the rows.

    Returns:
        Columns `row`, the row's number from 1; `surprise`, the greatest of the row; `column`, in which it is; and
        `surprise of COLUMN` for each column. All are NaN, and `column` is None, in a row without cells.

    Example:
        >>> score_table(np.array([[1.0], [1.1], [0.9], [9.0]]), ["x"], pd.RangeIndex(4))["row"].tolist()
        [4, 2, 1, 3]
    """
    standardised = np.full_like(surprises, np.nan)
    for place in range(surprises.shape[1]):
        known = ~np.isnan(surprises[:, place])
        cells = surprises[known, place]
        if len(cells):
            median = np.median(cells)
            scale = max(_TO_DEVIATION * np.median(np.abs(cells - median)), _LEAST_SCALE)
            standardised[known, place] = (cells - median) / scale
    filled = np.where(np.isnan(standardised), -np.inf, standardised)
    worst = filled.argmax(1)
    greatest = filled[np.arange(len(filled)), worst]
    has_cells = np.isfinite(greatest)
    scores = pd.DataFrame(
        {
            "row": np.arange(1, len(surprises) + 1),
            "surprise": np.where(has_cells, greatest, np.nan),
            "column": [
                columns[place] if known else None for place, known in zip(worst, has_cells, strict=True)
            ],
        },
        index=index,
    )
    cells = pd.DataFrame(standardised, index=index, columns=[f"surprise of {name}" for name in columns])
    return pd.concat([scores, cells], axis=1).sort_values("surprise", ascending=False, kind="stable")


_TO_DEVIATION = 1.4826
_LEAST_SCALE = 1.0
