"""Inference for any number of rows: one loop over slices of a batch, behind completion, embeddings and scores."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Protocol, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from amodal.batch import Batch
from amodal.distributions import RowNoise
from amodal.errors import DataError
from amodal.modalities import Modality
from amodal.models import GenerativeModel
from amodal.parallel import in_parallel
from amodal.table import BadCellPolicy, CompletedRows, Table, encode, fill_holes

__all__ = ["complete", "complete_cells", "embed", "encode_table", "log_prob", "map_slices"]

_ROWS_AT_ONCE = 256
_CELLS_AT_ONCE = 8
_SAMPLES_AT_ONCE = 10
_OWN_CELLS = 10_000
"""Present cells of a column that drawn ones are to be like."""

Complete = Callable[..., dict[str, Tensor]]
"""Scaled cells of columns by their names, called as `GenerativeModel.complete` with the model first."""
Result = TypeVar("Result")


class ExactCells(Protocol):
    """Cells that are known better than from their tensors."""

    def __call__(self, name: str, rows: NDArray[np.int64], draw: int, cells: list[Any]) -> list[Any]:
        """The cells of a column in rows of a table, in place of those of their tensors."""
        ...


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


def complete_cells(
    model: GenerativeModel,
    table: Table,
    *,
    columns: Sequence[str] | None,
    given: Sequence[str] | None,
    draws: int,
    seed: int,
    options: Mapping[str, Any] | None = None,
    bad_cells: BadCellPolicy = "error",
    batch: Batch | None = None,
    complete: Complete | None = None,
    exact: ExactCells | None = None,
) -> CompletedRows:
    """Draw cells of a table given others; in pandas, cells of text files as text.

    Args:
        model: a fitted model.
        table: the rows.
        columns: draw these, also where a cell is present; None draws only what is missing.
        given: use only these columns' cells; None uses all but those of `columns`.
        draws: completions of each row.
        seed: a row's draw depends on it and the row's number alone.
        options: keywords of the model's `complete`.
        bad_cells: "error" refuses cells that cannot be read; "missing" takes them as missing.
        batch: the rows as tensors, where they are encoded already.
        complete: called with the model first, in place of the model's own `complete`.
        exact: gives cells that are known better than from their tensors.

    Returns:
        The rows, `draws` for each of the table's: its columns, and those of the model after them. Given cells are as
        they were.
    """
    if given is None:
        given = [name for name in model.modalities if name not in (columns or ())]
    batch = encode_table(model, table, bad_cells) if batch is None else batch
    draw_cells: Complete = complete or type(model).complete
    kept = {
        name: batch.mask(name).numpy() if columns is None else np.zeros(len(batch), bool)
        for name in (model.modalities if columns is None else columns)
    }
    # Cells that are there everywhere are not drawn, nor are rows without a hole.
    targets = [name for name, is_kept in kept.items() if not is_kept.all()]
    rows = np.flatnonzero(~np.all([kept[name] for name in targets], axis=0)) if targets else np.arange(0)
    conditions = batch.given(given)[torch.from_numpy(rows)]
    drawn: dict[str, list[list[Any]]] = {name: [[] for _ in range(draws)] for name in targets}

    own = {
        name: present
        for name in targets
        if name in table.columns
        and len(present := table.frame[name][batch.mask(name).numpy()].head(_OWN_CELLS))
    }

    def draw(number: int, batch: Batch, noise: RowNoise) -> None:
        holes = {name: ~kept[name][batch.rows.cpu().numpy()] for name in targets}
        for name, tensor in draw_cells(model, batch, targets, noise, **(options or {})).items():
            cells = tensor[torch.from_numpy(holes[name]).to(tensor.device)]
            new_cells = _to_cells(name, model.modalities[name], cells)
            if exact is not None:
                new_cells = exact(name, batch.rows.cpu().numpy()[holes[name]], number, new_cells)
            drawn[name][number] += (
                model.modalities[name].match(new_cells, own[name]) if name in own else new_cells
            )

    for number in range(draws):
        for _ in map_slices(model, conditions, partial(draw, number), seed=seed + (number << 32)):
            pass
    return fill_holes(table, {name: ~kept[name] for name in targets}, drawn, draws)


def _to_cells(name: str, modality: Modality, tensor: Tensor) -> list[Any]:
    if not len(tensor):
        return []
    pieces = torch.split(tensor, _CELLS_AT_ONCE if modality.suffix else len(tensor))
    written = in_parallel(modality.to_cells, pieces, label=f"Making {name}")
    return [cell for piece in written for cell in piece]
