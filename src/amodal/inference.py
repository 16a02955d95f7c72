"""Inference for any number of rows: one loop over slices of a batch, behind completion, embeddings and scores."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from amodal.batch import Batch
from amodal.distributions import RowNoise
from amodal.errors import DataError
from amodal.modalities import Modality
from amodal.models import GenerativeModel
from amodal.parallel import in_parallel
from amodal.table import BadCellPolicy, Table, encode

__all__ = ["complete", "complete_table", "embed", "encode_table", "log_prob", "map_slices"]

_ROWS_AT_ONCE = 256
_CELLS_AT_ONCE = 8
_SAMPLES_AT_ONCE = 10
_OWN_CELLS = 10_000
"""Present cells of a column that drawn ones are to be like."""

Result = TypeVar("Result")


def map_slices(
    model: GenerativeModel, batch: Batch, compute: Callable[[Batch, RowNoise], Result], *, seed: int = 0
) -> Iterator[Result]:
    """Compute on slices of a batch, in order, on the model's device.

    Args:
        model: a fitted model.
        batch: any number of rows.
        compute: called with a slice and the random numbers of its rows, which depend on the seed and the row alone.
        seed: of those.
    """
    for rows in batch.split(_ROWS_AT_ONCE):
        rows = rows.to(model.device)
        yield compute(rows, RowNoise(seed, rows.rows))


def complete(
    model: GenerativeModel, batch: Batch, targets: Iterable[str], *, seed: int, **options: Any
) -> dict[str, Tensor]:
    """Scaled cells (N, ...) of the target columns, drawn given the present cells; see `GenerativeModel.complete`."""
    names = list(targets)
    slices = [
        {name: cells.cpu() for name, cells in drawn.items()}
        for drawn in map_slices(
            model, batch, lambda rows, noise: model.complete(rows, names, noise, **options), seed=seed
        )
    ]
    return {name: torch.cat([drawn[name] for drawn in slices]) for name in names}


def embed(model: GenerativeModel, batch: Batch) -> NDArray[np.float32]:
    """Joint representations (N, D) of the present cells."""
    slices = map_slices(model, batch, lambda rows, _: model.embed(rows).float().cpu().numpy())
    return np.concatenate(list(slices))


def log_prob(model: GenerativeModel, batch: Batch, *, num_samples: int, seed: int) -> NDArray[np.float32]:
    """Estimates (N,) of log p(present cells) in nats; see `GenerativeModel.log_prob`."""

    def score(rows: Batch, noise: RowNoise) -> NDArray[np.float32]:
        return model.log_prob(rows, noise, num_samples, chunk_size=_SAMPLES_AT_ONCE).cpu().numpy()

    return np.concatenate(list(map_slices(model, batch, score, seed=seed)))


def encode_table(model: GenerativeModel, table: Table, bad_cells: BadCellPolicy = "error") -> Batch:
    """All rows of a table, as the model takes them.

    Raises:
        DataError: the table has none of the model's columns, or cells that cannot be read.
    """
    if not set(model.modalities) & set(table.columns):
        raise DataError(f"{table.source} has none of the model's columns: {', '.join(model.modalities)}.")
    return encode(table, model.modalities, bad_cells=bad_cells)


def complete_table(
    model: GenerativeModel,
    table: Table,
    *,
    columns: Sequence[str] | None,
    given: Sequence[str] | None,
    draws: int,
    seed: int,
    options: Mapping[str, Any] | None = None,
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
        options: keywords of the model's `complete`.
        bad_cells: "error" refuses cells that cannot be read; "missing" takes them as missing.

    Returns:
        The table's columns and the model's, `draws` rows for each of the table's.
    """
    if given is None:
        given = [name for name in model.modalities if name not in (columns or ())]
    targets = list(model.modalities) if columns is None else list(columns)
    batch = encode_table(model, table, bad_cells)

    own = {
        name: present
        for name in targets
        if name in table.columns
        and len(present := table.frame[name][batch.mask(name).numpy()].head(_OWN_CELLS))
    }

    def fill(draw: int, rows: Batch, noise: RowNoise) -> pd.DataFrame:
        numbers = rows.rows.cpu().numpy()
        frame = table.frame.iloc[numbers].copy()
        for name, tensor in model.complete(rows, targets, noise, **(options or {})).items():
            cells: Sequence[Any] = _to_cells(name, model.modalities[name], tensor)
            if name in own:
                cells = model.modalities[name].match(cells, own[name])
            kept = batch.mask(name)[numbers].numpy() & (columns is None)
            old = frame.get(name, cells)
            frame[name] = pd.Series(
                [before if keep else new for before, new, keep in zip(old, cells, kept, strict=True)],
                index=frame.index,
                dtype="object",
            )
        return frame if draws == 1 else frame.assign(row=frame.index + 1, draw=draw + 1)

    frames = [
        frame
        for draw in range(draws)
        for frame in map_slices(model, batch.given(given), partial(fill, draw), seed=seed + (draw << 32))
    ]
    completed = pd.concat(frames).sort_index(kind="stable").reset_index(drop=True).infer_objects()
    types = table.frame.dtypes
    return completed.assign(
        **{
            name: _with_type(completed[name], types[name])
            for name in own
            if model.modalities[name].suffix is None
        }
    )


def _with_type(cells: pd.Series[Any], dtype: Any) -> pd.Series[Any]:
    """Cells as a column of a type, unless it cannot hold them."""
    try:
        typed = cells.astype(dtype)
    except (TypeError, ValueError, OverflowError):
        return cells
    # A category that the type has not becomes missing, and a fraction of an integer is lost.
    return cells if typed.isna().sum() > cells.isna().sum() else typed


def _to_cells(name: str, modality: Modality, tensor: Tensor) -> list[Any]:
    pieces = torch.split(tensor, _CELLS_AT_ONCE if modality.suffix else len(tensor))
    written = in_parallel(modality.to_cells, pieces, label=f"Making {name}")
    return [cell for piece in written for cell in piece]
