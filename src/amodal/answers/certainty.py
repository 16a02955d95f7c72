"""Records of drawn cells, and of their certainty."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from amodal.answers.predictions import INTERVAL, is_label, probabilities, quantiles
from amodal.batch import Batch
from amodal.models import GenerativeModel
from amodal.table import row_number

Mask = NDArray[np.bool_]


class CellRecord(dict[str, list[Any]]):
    """Column -> values, which `DataFrame.attrs` keeps: JSON-able, compared at once, and never copied.

    pandas copies and compares `attrs` in many operations, and writes them to Parquet as JSON, none of which a
    DataFrame in them survives.

    Example:
        >>> CellRecord(kind=[True, False]).to_frame()["kind"].sum()
        np.int64(1)
    """

    def to_frame(self, index: pd.Index | None = None) -> pd.DataFrame:
        """The values as a DataFrame."""
        return pd.DataFrame(dict(self), index=index)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(self)})"

    def __deepcopy__(self, memo: object) -> CellRecord:
        return self


def drawn_record(drawn: Mapping[str, Mask], draws: int) -> CellRecord:
    """Column -> whether each cell of the completed rows was drawn, each row `draws` times."""
    return CellRecord({name: np.repeat(mask, draws).tolist() for name, mask in drawn.items()})


def certainty_record(
    model: GenerativeModel,
    batch: Batch,
    drawn: Mapping[str, Mask],
    completed: Mapping[str, Sequence[Any]],
    *,
    draws: int,
    seed: int,
) -> CellRecord:
    """The certainty of each drawn label and number, given the present cells of its row.

    Args:
        model: fitted model.
        batch: N rows, present where a cell was conditioned on.
        drawn: column -> boolean (N,), the cells that were drawn.
        completed: column -> cells of the completed rows (N draws).
        draws: completions of each row.
        seed: of latents, where the model has them.

    Returns:
        Columns `row`, the completed row's number from 1; `column`; `cell`; `probability` of a label; `low` and `high`,
        an interval that holds 80 % of a number's distribution. None where a column does not apply.
    """
    rows: list[dict[str, Any]] = []
    for name, mask in drawn.items():
        modality, where = model.modalities[name], np.flatnonzero(mask)
        if not len(where) or not (is_label(modality) or modality.is_ordered):
            continue
        part = batch[where]
        places = (where[:, None] * draws + np.arange(draws)).ravel()
        cells = [completed[name][int(place)] for place in places]
        record = {"column": name, "probability": None, "low": None, "high": None}
        if is_label(modality):
            probs = probabilities(model, part, name, seed=seed).repeat(draws, axis=0)
            codes = modality.to_tensor(pd.Series(cells), None).numpy()
            found: list[dict[str, Any]] = [
                {"probability": float(probs[i, code])} for i, code in enumerate(codes)
            ]
        else:
            low, high = quantiles(model, part, name, INTERVAL, seed=seed)
            found = [{"low": low[i // draws], "high": high[i // draws]} for i in range(len(places))]
        rows += [
            record | {"row": row_number(int(place)), "cell": cell} | each
            for place, cell, each in zip(places, cells, found, strict=True)
        ]
    names = ["row", "column", "cell", "probability", "low", "high"]
    return CellRecord({name: [row[name] for row in rows] for name in names})
