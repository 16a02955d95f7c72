"""Cells to tensors, for stores on disk and batches in memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from amodal.batch import Batch
from amodal.errors import BadCells, UsageError, shorten
from amodal.media import cell_text
from amodal.modalities import Modality
from amodal.parallel import in_parallel
from amodal.table.bad_cells import BadCell, bad_cell_error
from amodal.table.reading import Table, row_number

__all__ = [
    "BadCellPolicy",
    "Chunk",
    "EncodedChunk",
    "check_policy",
    "chunks",
    "encode",
    "encode_cells",
    "encode_chunk",
]

BadCellPolicy = Literal["error", "missing"]
Rows = slice | NDArray[np.int64]

FILES_PER_CHUNK = 64  # small enough that all cores have work and few decoded files are in memory
CELLS_PER_CHUNK = 8192
CELL_LENGTH = 80  # characters of a bad cell in messages
ALL = slice(None)


@dataclass(frozen=True)
class Chunk:
    """Present cells of one column that are encoded together.

    Attributes:
        position: the column's index among the used columns.
        column: its name.
        modality: its modality.
        cells: the cells; their index is the rows' numbers from 0.
        root: the folder that paths are relative to.
    """

    position: int
    column: str
    modality: Modality
    cells: pd.Series
    root: Path | None


@dataclass(frozen=True)
class EncodedChunk:
    """The tensors of a chunk.

    Attributes:
        position: the column's index among the used columns.
        rows: integer (n,), rows from 0 of the cells that could be encoded.
        values: (n, *shape), their tensors.
        bad: the other cells.
    """

    position: int
    rows: np.ndarray
    values: np.ndarray
    bad: tuple[BadCell, ...]


def chunks(table: Table, modalities: Mapping[str, Modality], rows: Rows = ALL) -> Iterator[Chunk]:
    """The present cells of the columns that the table has, in chunks."""
    for position, (column, modality) in enumerate(modalities.items()):
        if column not in table.columns:
            continue
        cells = table.frame[column].iloc[rows].dropna()
        cells = cells[~modality.is_missing(cells)]
        size = CELLS_PER_CHUNK if modality.suffix is None else FILES_PER_CHUNK
        for start in range(0, len(cells), size):
            yield Chunk(position, column, modality, cells.iloc[start : start + size], table.root)


def encode_chunk(chunk: Chunk) -> EncodedChunk:
    """Encode a chunk's cells, except bad ones.

    Raises:
        TypeError: the tensor is not of the modality's shape and type.
    """
    modality, kept, reasons = chunk.modality, np.arange(len(chunk.cells)), dict[int, str]()
    values = np.empty((0, *modality.shape), modality.dtype)
    while len(kept):
        try:
            values = modality.to_tensor(chunk.cells.iloc[kept], chunk.root).numpy()
        except BadCells as problem:
            if not problem.reasons:
                raise
            reasons |= {int(kept[index]): reason for index, reason in problem.reasons.items()}
            kept = np.delete(kept, list(problem.reasons))
        else:
            break
    if values.shape != (len(kept), *modality.shape) or values.dtype != modality.dtype:
        raise TypeError(
            f"{type(modality).__name__} of column {chunk.column!r} gave {values.dtype} of shape {values.shape}, "
            f"not {modality.dtype} of shape {(len(kept), *modality.shape)}"
        )
    rows = chunk.cells.index.to_numpy()
    bad = tuple(
        BadCell(
            chunk.column,
            row_number(int(rows[index])),
            shorten(cell_text(chunk.cells.iloc[index]), CELL_LENGTH),
            reason,
        )
        for index, reason in sorted(reasons.items())
    )
    return EncodedChunk(chunk.position, rows[kept], values, bad)


def encode_cells(
    table: Table,
    modalities: Mapping[str, Modality],
    rows: Rows = ALL,
    *,
    bad_cells: BadCellPolicy = "missing",
) -> tuple[Batch, tuple[BadCell, ...]]:
    """Encode rows as a batch in memory, and list the bad cells.

    Args:
        table: the table. A column that it lacks is missing in every row.
        modalities: column -> its modality, in the order of the batch.
        rows: slice or row numbers from 0, in any order, repeated or not; all rows by default.
        bad_cells: "missing" takes bad cells as missing, "error" refuses them.

    Returns:
        The batch, missing cells filled with zeros, and the bad cells.

    Raises:
        DataError: there are bad cells, and `bad_cells` is "error".
        UsageError: `bad_cells` is neither "error" nor "missing".
    """
    check_policy(bad_cells)
    numbers = table.frame.index[rows]
    if not numbers.is_unique:
        distinct, index = np.unique(numbers, return_inverse=True)
        batch, listed = encode_cells(table, modalities, distinct, bad_cells=bad_cells)
        return batch[index], listed
    arrays = [np.zeros((len(numbers), *m.shape), m.dtype) for m in modalities.values()]
    present = np.zeros((len(numbers), len(arrays)), dtype=bool)
    bad: list[BadCell] = []
    work = list(chunks(table, modalities, rows))
    for encoded in in_parallel(encode_chunk, work, label="Reading cells"):
        index = numbers.get_indexer(pd.Index(encoded.rows))
        arrays[encoded.position][index] = encoded.values
        present[index, encoded.position] = True
        bad += encoded.bad
    error = bad_cell_error(bad, table.source)
    if error and bad_cells == "error":
        raise error
    x = {name: torch.from_numpy(values) for name, values in zip(modalities, arrays, strict=True)}
    return Batch(x, torch.from_numpy(present), torch.tensor(numbers.to_numpy())), tuple(bad)


def encode(
    table: Table,
    modalities: Mapping[str, Modality],
    rows: Rows = ALL,
    *,
    bad_cells: BadCellPolicy = "error",
) -> Batch:
    """The batch of `encode_cells`, which refuses bad cells by default."""
    return encode_cells(table, modalities, rows, bad_cells=bad_cells)[0]


def check_policy(bad_cells: str) -> None:
    """Check that a value is a `BadCellPolicy`.

    Raises:
        UsageError: it is not; the message lists the choices.
    """
    choices = get_args(BadCellPolicy)
    if bad_cells not in choices:
        raise UsageError(f"Unknown value {bad_cells!r} of bad_cells. Choose from {', '.join(choices)}.")
