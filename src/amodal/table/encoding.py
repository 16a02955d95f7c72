"""Cells become tensors: the one routine behind the store on disk and batches in memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import pandas as pd
import torch

from amodal.batch import Batch
from amodal.errors import BadCells, UsageError
from amodal.modalities import Modality
from amodal.parallel import in_parallel
from amodal.table.problem_report import BadCell, cell_problem
from amodal.table.reading import Table, row_number

__all__ = [
    "BadCellPolicy",
    "Chunk",
    "EncodedChunk",
    "check_policy",
    "chunks",
    "convert",
    "encode",
    "encode_chunk",
]

BadCellPolicy = Literal["error", "missing"]

FILES_AT_ONCE = 64  # small enough that all cores have work and few decoded files are held
CELLS_AT_ONCE = 8192
CELL_LENGTH = 80  # characters of a bad cell that are shown


@dataclass(frozen=True)
class Chunk:
    """Present cells of one column that are turned into one tensor.

    Attributes:
        position: the column's place among the used columns.
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
    """What became of a chunk.

    Attributes:
        position: the column's place among the used columns.
        rows: integer (n,), the rows, from 0, of the cells that could be turned.
        values: (n, *shape), their tensors.
        bad: the other cells.
    """

    position: int
    rows: np.ndarray
    values: np.ndarray
    bad: tuple[BadCell, ...]


def chunks(table: Table, modalities: Mapping[str, Modality], rows: slice) -> Iterator[Chunk]:
    """Cut the present cells of the columns that the table has into chunks."""
    for position, (column, modality) in enumerate(modalities.items()):
        if column not in table.columns:
            continue
        cells = table.frame[column].iloc[rows].dropna()
        size = CELLS_AT_ONCE if modality.suffix is None else FILES_AT_ONCE
        for start in range(0, len(cells), size):
            yield Chunk(position, column, modality, cells.iloc[start : start + size], table.root)


def encode_chunk(chunk: Chunk) -> EncodedChunk:
    """Turn a chunk's cells into a tensor, setting aside the cells that cannot be turned.

    Raises:
        TypeError: the modality's tensor is not of the shape and type that it says.
    """
    modality, kept, reasons = chunk.modality, np.arange(len(chunk.cells)), dict[int, str]()
    values = np.empty((0, *modality.shape), modality.dtype)
    while len(kept):
        try:
            values = modality.to_tensor(chunk.cells.iloc[kept], chunk.root).numpy()
        except BadCells as problem:
            if not problem.reasons:
                raise
            reasons |= {int(kept[place]): reason for place, reason in problem.reasons.items()}
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
        BadCell(chunk.column, row_number(int(rows[place])), _shown(chunk.cells.iloc[place]), reason)
        for place, reason in sorted(reasons.items())
    )
    return EncodedChunk(chunk.position, rows[kept], values, bad)


def convert(
    table: Table,
    modalities: Mapping[str, Modality],
    rows: slice = slice(None),
    *,
    workers: int | None = None,
) -> tuple[Batch, tuple[BadCell, ...]]:
    """Turn rows into a batch in memory; bad cells are absent from it, and listed.

    Args:
        table: the table. A column that it lacks is absent in every row.
        modalities: column -> its modality, in the order the batch has them.
        rows: which rows; all unless given.
        workers: how many threads.

    Returns:
        The batch, absent cells filled with zeros, and the bad cells.
    """
    numbers = np.arange(len(table))[rows]
    if np.any(np.diff(numbers) != 1):
        raise ValueError(f"rows must follow one another, not {rows}")
    first = int(numbers[0]) if len(numbers) else 0
    arrays = [np.zeros((len(numbers), *m.shape), m.dtype) for m in modalities.values()]
    present = np.zeros((len(numbers), len(arrays)), dtype=bool)
    bad: list[BadCell] = []
    work = list(chunks(table, modalities, rows))
    for encoded in in_parallel(encode_chunk, work, label="Reading cells", workers=workers):
        arrays[encoded.position][encoded.rows - first] = encoded.values
        present[encoded.rows - first, encoded.position] = True
        bad += encoded.bad
    x = {name: torch.from_numpy(values) for name, values in zip(modalities, arrays, strict=True)}
    return Batch(x, torch.from_numpy(present), torch.from_numpy(numbers)), tuple(bad)


def encode(
    table: Table,
    modalities: Mapping[str, Modality],
    rows: slice = slice(None),
    *,
    bad_cells: BadCellPolicy = "error",
    workers: int | None = None,
) -> Batch:
    """Turn rows into a batch in memory, as `convert` does.

    Raises:
        DataError: cells cannot be turned, and `bad_cells` is "error".
        UsageError: `bad_cells` is neither "error" nor "missing".
    """
    check_policy(bad_cells)
    batch, bad = convert(table, modalities, rows, workers=workers)
    problem = cell_problem(bad, [], table.source)
    if problem and bad_cells == "error":
        raise problem
    return batch


def check_policy(bad_cells: str) -> None:
    """Refuse what is no way of treating bad cells.

    Raises:
        UsageError: says what the choices are.
    """
    choices = get_args(BadCellPolicy)
    if bad_cells not in choices:
        raise UsageError(f"Unknown way with bad cells {bad_cells!r}. Choose from {', '.join(choices)}.")


def _shown(cell: object) -> str:
    text = str(cell)
    return text if len(text) <= CELL_LENGTH else text[: CELL_LENGTH - 1] + "…"
