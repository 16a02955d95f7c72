"""Completion of tables: the one thing that sampling, filling and translating are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd
import torch

from amodal.batch import Batch
from amodal.distributions import RowNoise
from amodal.errors import DataError
from amodal.models import GenerativeModel
from amodal.parallel import in_parallel
from amodal.table import BadCellPolicy, Table, encode

_ROWS_AT_ONCE = 256
_CELLS_AT_ONCE = 8


def each_batch(model: GenerativeModel, table: Table, bad_cells: BadCellPolicy = "error") -> Iterator[Batch]:
    """A table's rows as batches on the model's device.

    Raises:
        DataError: the table has none of the model's columns, or cells that cannot be read.
    """
    if not set(model.modalities) & set(table.columns):
        raise DataError(f"{table.source} has none of the model's columns: {', '.join(model.modalities)}.")
    device = model.device
    # All cells are read before any row is given, so that one error tells of all that cannot be.
    whole = encode(table, model.modalities, bad_cells=bad_cells)
    for batch in whole.split(_ROWS_AT_ONCE):
        yield batch.to(device)


def complete_table(
    model: GenerativeModel,
    table: Table,
    *,
    columns: Sequence[str] | None,
    given: Sequence[str] | None,
    draws: int,
    seed: int,
    how: Mapping[str, Any] | None = None,
    bad_cells: BadCellPolicy = "error",
) -> pd.DataFrame:
    """Draw cells of a table given others.

    Args:
        model: a fitted model.
        table: the rows.
        columns: draw these, also where a cell is present; None draws only what is missing.
        given: use only these columns' cells; None uses all but those of `columns`.
        draws: completions of each row.
        seed: a row's draw depends on it and the row's number alone.
        how: what else the model's `complete` is told of the way of drawing.
        bad_cells: what becomes of cells that cannot be read.

    Returns:
        The table's columns and the model's, `draws` rows for each of the table's.
    """
    if given is None:
        given = [name for name in model.modalities if name not in (columns or ())]
    targets = list(model.modalities) if columns is None else list(columns)
    parts = []
    for batch in each_batch(model, table, bad_cells):
        here = table.frame.iloc[batch.rows.cpu().numpy()]
        for draw in range(draws):
            part = here.copy()
            noise = RowNoise(seed + (draw << 32), batch.rows)
            for name, cells in _drawn(model, batch, given, targets, noise, how or {}):
                present = batch.mask(name).cpu().numpy()
                redrawn = columns is not None and name in columns
                part[name] = pd.Series(
                    [
                        old if there and not redrawn else new
                        for old, new, there in zip(part.get(name, cells), cells, present, strict=True)
                    ],
                    index=part.index,
                    dtype="object",
                )
            if draws > 1:
                part = part.assign(row=part.index + 1, draw=draw + 1)
            parts.append(part)
    whole = pd.concat(parts).sort_index(kind="stable").reset_index(drop=True)
    return whole.infer_objects()


def _drawn(
    model: GenerativeModel,
    batch: Batch,
    given: Sequence[str],
    targets: Sequence[str],
    noise: RowNoise,
    how: Mapping[str, Any],
) -> Iterator[tuple[str, Sequence[Any]]]:
    """Each target column's cells, drawn for all rows of a batch."""
    for name, tensor in model.complete(batch.given(given), targets, noise, **how).items():
        modality = model.modalities[name]
        pieces = torch.split(tensor, _CELLS_AT_ONCE if modality.suffix else len(tensor))
        made = in_parallel(modality.to_cells, pieces, label=f"Making {name}")
        yield name, [cell for piece in made for cell in piece]
