"""Stores: a table's tensors on disk, memory-mapped."""

from __future__ import annotations

import csv
import errno
import io
import json
import logging
import os
import shutil
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from amodal.batch import Batch
from amodal.errors import DataError, examples
from amodal.files import check_output_folder, existing_folder, output_folder, preallocate
from amodal.modalities import Modality
from amodal.parallel import ProgressCallback, in_parallel
from amodal.table.bad_cells import BadCell, bad_cell_error, write_bad_cells
from amodal.table.encoding import BadCellPolicy, Chunk, check_policy, chunks, encode_chunk
from amodal.table.fingerprint import fingerprint
from amodal.table.reading import Table, row_number
from amodal.table.type_inference import check_columns

__all__ = ["Store", "check_cells", "prepare_store"]

FORMAT = 1
DESCRIPTION = "store.json"
PRESENT = "present.npy"
BAD_CELLS = "bad_cells.csv"
_log = logging.getLogger("amodal")
_opening = threading.Lock()


@dataclass(frozen=True, eq=False)
class Store:
    """N rows of M columns as tensors, read from disk on demand.

    Attributes:
        folder: its folder.
        columns: the columns' names.
        fingerprint: of its table; see `amodal.table.fingerprint`.
        present: boolean (N, M).
        bad_cells: the cells that could not be encoded and became missing.
        arrays: one memory-mapped array (N, *shape) a column; missing cells are zeros.
    """

    folder: Path
    columns: tuple[str, ...]
    fingerprint: str
    present: np.ndarray
    bad_cells: tuple[BadCell, ...]
    arrays: tuple[np.ndarray, ...]

    @classmethod
    def open(cls, folder: Path) -> Store:
        """Open a store that `prepare_store` wrote.

        Raises:
            DataError: the folder holds no store, one of another format, or a damaged one.
        """
        description = _description(folder)
        if description is None:
            raise DataError(f"{folder} is no store: it has no {DESCRIPTION} that can be read.")
        if description.get("format") != FORMAT:
            raise DataError(
                f"{folder} is a store of format {description.get('format')!r}, and {FORMAT} is read here: "
                "prepare it again."
            )
        try:
            columns = tuple(column["name"] for column in description["columns"])
            with (folder / BAD_CELLS).open(encoding="utf-8", newline="") as lines:
                bad = tuple(
                    BadCell(row["column"], int(row["row"]), row["cell"], row["reason"])
                    for row in csv.DictReader(lines)
                )
            store = cls(
                folder=folder,
                columns=columns,
                fingerprint=description["fingerprint"],
                present=np.load(folder / PRESENT),
                bad_cells=bad,
                # Mapping a file that is too short fails here; reading beyond its end would end the process.
                arrays=tuple(np.load(folder / f"{n}.npy", mmap_mode="r") for n in range(len(columns))),
            )
        except (FileNotFoundError, ValueError, EOFError, KeyError, TypeError) as problem:
            raise DataError(f"{folder} is a damaged store: prepare it again. ({problem})") from problem
        lengths = {len(values) for values in (store.present, *store.arrays)}
        if lengths != {description.get("rows")} or store.present.shape[1:] != (len(columns),):
            raise DataError(f"{folder} is a damaged store: prepare it again. (Its parts do not fit.)")
        return store

    def __len__(self) -> int:
        return len(self.present)

    def __reduce__(self) -> tuple[Any, ...]:
        # A memory map is pickled as all its values; a data loader's process opens the files instead.
        return Store.open, (self.folder,)

    def gather(self, rows: np.ndarray | Tensor) -> Batch:
        """The batch of some rows, by one vectorised read a column.

        Args:
            rows: integer (B,), row numbers from 0, in any order, repeated or not.

        Raises:
            IndexError: a row is not in the store.
        """
        index = np.asarray(rows)
        if index.dtype.kind not in "iu":
            raise IndexError(f"rows must be whole numbers, not {index.dtype}")
        if len(index) and not 0 <= index.min() <= index.max() < len(self):
            raise IndexError(f"rows must be 0 to {len(self) - 1}, not {index.min()} to {index.max()}")
        x = {
            name: torch.from_numpy(np.take(values, index, axis=0))
            for name, values in zip(self.columns, self.arrays, strict=True)
        }
        return Batch(x, torch.from_numpy(self.present[index]), torch.from_numpy(index.astype(np.int64)))


def prepare_store(
    table: Table,
    modalities: Mapping[str, Modality],
    folder: Path,
    *,
    bad_cells: BadCellPolicy = "error",
    workers: int | None = None,
    progress: ProgressCallback | None = None,
    check: Callable[[], None] = lambda: None,
) -> Store:
    """Encode all cells of a table and write the tensors to disk.

    Args:
        table: the table.
        modalities: column -> its fitted modality, in the order of batches.
        folder: the folder to write, atomically; an existing store is replaced.
        bad_cells: "missing" takes bad cells as missing, and lists them in `Store.bad_cells` and in bad_cells.csv in
            the folder.
        workers: number of threads; all cores by default.
        progress: called with (done, total) in place of a progress bar.
        check: called before each chunk; an error that it raises ends the work without a trace.

    Raises:
        DataError: lists all bad cells, unless `bad_cells` is "missing"; or no row has a cell.
        UsageError: the folder holds something else, or a column is not in the table.
        OSError: the disk is too small, or the machine refuses otherwise.
    """
    check_policy(bad_cells)
    check_columns(modalities, table)
    check_output_folder(folder, "store", overwrite=True, inputs=[table.root])
    _check_space(folder, len(table), modalities)
    with output_folder(folder, "store", overwrite=True, inputs=[table.root]) as staging:
        for position, modality in enumerate(modalities.values()):
            _new_array(staging / f"{position}.npy", modality.dtype, (len(table), *modality.shape))
        write = partial(_encode, folder=staging, check=check)
        present, bad = _present(table, modalities, write, bad_cells, workers, progress)
        # NumPy's own writing loses the errno of a failure.
        content = io.BytesIO()
        np.save(content, present)
        (staging / PRESENT).write_bytes(content.getbuffer())
        write_bad_cells(staging / BAD_CELLS, bad)
        description = {
            "format": FORMAT,
            "rows": len(table),
            "columns": [
                {"name": name, "shape": list(m.shape), "dtype": m.dtype} for name, m in modalities.items()
            ],
            "fingerprint": fingerprint(table, modalities),
        }
        text = json.dumps(description, ensure_ascii=False, indent=2)
        (staging / DESCRIPTION).write_text(text, encoding="utf-8")
    return Store.open(folder)


def check_cells(
    table: Table,
    modalities: Mapping[str, Modality],
    *,
    bad_cells: BadCellPolicy = "error",
) -> None:
    """Encode all cells as `prepare_store` does, with the same errors, without writing."""
    check_policy(bad_cells)
    check_columns(modalities, table)
    _present(table, modalities, _encode, bad_cells)


_Encoded = tuple[int, np.ndarray, tuple[BadCell, ...]]


def _present(
    table: Table,
    modalities: Mapping[str, Modality],
    encode: Callable[[Chunk], _Encoded],
    bad_cells: BadCellPolicy,
    workers: int | None = None,
    progress: ProgressCallback | None = None,
) -> tuple[np.ndarray, list[BadCell]]:
    """Encode all cells; the mask of present ones, boolean (N, M), and the bad ones."""
    present = np.zeros((len(table), len(modalities)), dtype=bool)
    bad: list[BadCell] = []
    work = list(chunks(table, modalities))
    for position, rows, problems in in_parallel(
        encode, work, label="Preparing", workers=workers, progress=progress
    ):
        present[rows, position] = True
        bad += problems
    error = bad_cell_error(bad, table.source)
    if error and bad_cells == "error":
        raise error
    empty = np.flatnonzero(~present.any(axis=1))
    if len(empty):
        numbers = examples([row_number(int(row)) for row in empty])
        if len(empty) == len(table):
            raise DataError(f"{table.source}: no row has a usable cell in any column that is used.")
        _log.warning(
            f"{table.source}: {len(empty):,} of {len(table):,} rows have no usable cell in any column that is used, "
            f"and are left out (row {numbers})."
        )
    return present, bad


def _new_array(path: Path, dtype: str, shape: tuple[int, ...]) -> None:
    """Create a file of zeros to be memory-mapped, its disk space reserved."""
    np.lib.format.open_memmap(path, "w+", np.dtype(dtype), shape)
    with path.open("r+b") as file:
        preallocate(file, path.stat().st_size)


def _encode(chunk: Chunk, folder: Path | None = None, check: Callable[[], None] = lambda: None) -> _Encoded:
    """Encode a chunk, and write its tensors to the folder's arrays if one is given."""
    check()
    encoded = encode_chunk(chunk)
    if folder is not None:
        # NumPy parses the array's header as Python, which several threads of CPython 3.11 may not do at once.
        with _opening:
            array = np.load(folder / f"{chunk.position}.npy", mmap_mode="r+")
        array[encoded.rows] = encoded.values
    return encoded.position, encoded.rows, encoded.bad


def _description(folder: Path) -> dict[str, Any] | None:
    try:
        description = json.loads((folder / DESCRIPTION).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return description if isinstance(description, dict) else None


def _check_space(folder: Path, rows: int, modalities: Mapping[str, Modality]) -> None:
    """Check for free disk space in advance."""
    needed = sum(rows * int(np.prod(m.shape)) * np.dtype(m.dtype).itemsize for m in modalities.values())
    if needed > shutil.disk_usage(existing_folder(folder)).free:
        problem = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder))
        problem.add_note(f"The prepared table takes {needed / 1e6:,.1f} MB.")
        raise problem
