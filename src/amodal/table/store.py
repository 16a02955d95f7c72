"""The prepared store: a table's tensors on disk, memory-mapped."""

from __future__ import annotations

import csv
import errno
import io
import json
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from amodal.batch import Batch
from amodal.errors import DataError
from amodal.files import check_folder, file_system, output_folder, reserve
from amodal.modalities import Modality
from amodal.parallel import Report, in_parallel
from amodal.table.encoding import BadCellPolicy, Chunk, check_policy, chunks, encode_chunk
from amodal.table.fingerprint import fingerprint
from amodal.table.inference import check_columns
from amodal.table.problem_report import BadCell, cell_problem, write_bad_cells
from amodal.table.reading import Table

__all__ = ["Store", "check_cells", "prepare_store"]

FORMAT = 1
DESCRIPTION = "store.json"
PRESENT = "present.npy"
BAD_CELLS = "bad_cells.csv"


@dataclass(frozen=True, eq=False)
class Store:
    """N rows of M columns as tensors, read from disk as they are asked for.

    Attributes:
        folder: where it lies.
        columns: the columns' names.
        fingerprint: of the table it was made from; see `amodal.table.fingerprint`.
        present: boolean (N, M), which cells are there.
        bad_cells: the cells that could not be turned into tensors and became missing.
        arrays: one memory-mapped array (N, *shape) a column; absent cells are zeros.
    """

    folder: Path
    columns: tuple[str, ...]
    fingerprint: str
    present: np.ndarray
    bad_cells: tuple[BadCell, ...]
    arrays: tuple[np.ndarray, ...]

    @classmethod
    def open(cls, folder: Path) -> Store:
        """Open what `prepare_store` wrote.

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
                # A map of a file that is too short is refused here; reading beyond an end would end the process.
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
        # A memory map would be pickled as all its values; a data loader's process opens the files instead.
        return Store.open, (self.folder,)

    def gather(self, rows: np.ndarray | Tensor) -> Batch:
        """Give these rows as a batch, with one vectorised read a column.

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
    progress: Report | None = None,
    check: Callable[[], None] = lambda: None,
) -> Store:
    """Turn every cell of a table into a tensor, once, and put the tensors on disk.

    Args:
        table: the table.
        modalities: column -> its fitted modality, in the order batches will have them.
        folder: where the store goes; a store that is there is replaced when all went well.
        bad_cells: "missing" makes cells that cannot be turned absent, and lists them in `Store.bad_cells`
            and in bad_cells.csv in the folder.
        workers: how many threads; all cores unless given.
        progress: called with (done, total) in place of a progress bar.
        check: called before each part; what it raises ends the work, and nothing is left.

    Raises:
        DataError: one error with all cells that cannot be turned (unless `bad_cells` is "missing") and all
            rows that have no cell.
        UsageError: the folder holds something else, or a column is not in the table.
        OSError: the disk is too small, or the machine refuses otherwise.
    """
    check_policy(bad_cells)
    check_columns(modalities, table)
    check_folder(folder, "store", overwrite=True, inputs=[table.root])
    _check_room(folder, len(table), modalities)
    with output_folder(folder, "store", overwrite=True, inputs=[table.root]) as beside:
        for position, modality in enumerate(modalities.values()):
            _new_array(beside / f"{position}.npy", modality.dtype, (len(table), *modality.shape))
        write = partial(_write_chunk, folder=beside, check=check)
        present, bad = _present(table, modalities, write, bad_cells, workers, progress)
        # NumPy's own writing loses the number of what the machine said.
        content = io.BytesIO()
        np.save(content, present)
        (beside / PRESENT).write_bytes(content.getbuffer())
        write_bad_cells(beside / BAD_CELLS, bad)
        description = {
            "format": FORMAT,
            "rows": len(table),
            "columns": [
                {"name": name, "shape": list(m.shape), "dtype": m.dtype} for name, m in modalities.items()
            ],
            "fingerprint": fingerprint(table, modalities),
        }
        text = json.dumps(description, ensure_ascii=False, indent=2)
        (beside / DESCRIPTION).write_text(text, encoding="utf-8")
    return Store.open(folder)


def check_cells(
    table: Table,
    modalities: Mapping[str, Modality],
    *,
    bad_cells: BadCellPolicy = "error",
    workers: int | None = None,
    progress: Report | None = None,
) -> None:
    """See that `prepare_store` can turn a table, and write nothing; the arguments and errors are its own."""
    check_policy(bad_cells)
    check_columns(modalities, table)
    _present(table, modalities, _turn_chunk, bad_cells, workers, progress)


_Turned = tuple[int, np.ndarray, tuple[BadCell, ...]]


def _present(
    table: Table,
    modalities: Mapping[str, Modality],
    turn: Callable[[Chunk], _Turned],
    bad_cells: BadCellPolicy,
    workers: int | None,
    progress: Report | None,
) -> tuple[np.ndarray, list[BadCell]]:
    """Turn every cell; gives which are there, boolean (N, M), and which could not be turned."""
    present = np.zeros((len(table), len(modalities)), dtype=bool)
    bad: list[BadCell] = []
    work = list(chunks(table, modalities, slice(None)))
    for position, rows, problems in in_parallel(
        turn, work, label="Preparing", workers=workers, progress=progress
    ):
        present[rows, position] = True
        bad += problems
    if bad and bad_cells == "error":
        problem = cell_problem(bad, table.rows_with_nothing(modalities), table.source)
    else:
        problem = cell_problem([], np.flatnonzero(~present.any(axis=1)).tolist(), table.source)
    if problem:
        raise problem
    return present, bad


def _new_array(path: Path, dtype: str, shape: tuple[int, ...]) -> None:
    """Make a file of zeros to be memory-mapped, with all its room taken."""
    np.lib.format.open_memmap(path, "w+", np.dtype(dtype), shape)
    with path.open("r+b") as file:
        reserve(file, path.stat().st_size)


def _write_chunk(chunk: Chunk, folder: Path, check: Callable[[], None]) -> _Turned:
    check()
    encoded = encode_chunk(chunk)
    np.load(folder / f"{chunk.position}.npy", mmap_mode="r+")[encoded.rows] = encoded.values
    return encoded.position, encoded.rows, encoded.bad


def _turn_chunk(chunk: Chunk) -> _Turned:
    encoded = encode_chunk(chunk)
    return encoded.position, encoded.rows, encoded.bad


def _description(folder: Path) -> dict[str, Any] | None:
    try:
        description = json.loads((folder / DESCRIPTION).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return description if isinstance(description, dict) else None


def _check_room(folder: Path, rows: int, modalities: Mapping[str, Modality]) -> None:
    """See that there is room, so that a disk is not filled in vain."""
    needed = sum(rows * int(np.prod(m.shape)) * np.dtype(m.dtype).itemsize for m in modalities.values())
    if needed > shutil.disk_usage(file_system(folder)).free:
        problem = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder))
        problem.add_note(f"The prepared table takes {needed / 1e6:,.1f} MB.")
        raise problem
