"""Writing a table as a folder that reads back as the same table."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from amodal.files import replacing_folder
from amodal.problems import DataProblem, UsageProblem, examples
from amodal.table.folder_names import folder_names
from amodal.table.modality import CellWriter
from amodal.table.parallel import Report, in_parallel
from amodal.table.reading import row_number

__all__ = ["write_table"]

TABLE = "metadata.csv"


@dataclass(frozen=True)
class _File:
    path: str  # relative to the table's folder
    cell: Any
    writer: CellWriter


def write_table(
    frame: pd.DataFrame,
    folder: Path,
    writers: Mapping[str, CellWriter],
    *,
    root: Path | None = None,
    overwrite: bool = False,
    workers: int | None = None,
    progress: Report | None = None,
) -> Path:
    """Write FOLDER/metadata.csv, and FOLDER/<column>/<row>.<suffix> for each cell that is a file.

    A column's folder is named after it, as far as a file system allows. Rows are numbered from 1, all with
    as many digits as the last. Missing cells, and empty strings, are empty cells.

    Args:
        frame: the rows; its index is not written. A cell of a column of files is what its writer writes, or
            the path (str or Path) of a file, which is copied and keeps its own suffix.
        folder: where the table goes. It is there whole or not at all.
        writers: column -> what writes its cells. Columns that it lacks, or whose writer has no suffix, stand
            in the CSV as they are.
        root: what paths in cells are relative to, and must stay below; anything goes when not given.
        overwrite: replace a table that is there.
        workers: how many threads; all cores unless given.
        progress: called with (done, total) in place of a progress bar.

    Returns:
        The path of metadata.csv.

    Raises:
        UsageProblem: the folder holds something, and either `overwrite` is not given or it is no table.
        DataProblem: files to copy are not there, or not below `root`.
    """
    _check_folder(folder, overwrite=overwrite)
    of_files = {name: writers[name] for name in frame.columns if name in writers and writers[name].suffix}
    folders = folder_names(of_files)
    table = frame.reset_index(drop=True)
    files: list[_File] = []
    for name, writer in of_files.items():
        cells = table[name][table[name].notna()]
        cells = cells[[not (isinstance(cell, str) and not cell) for cell in cells]]
        of_column = [_file(row, cell, folders[name], len(table), writer, root) for row, cell in cells.items()]
        table[name] = pd.Series([file.path for file in of_column], cells.index, dtype="str").reindex(
            table.index
        )
        files += of_column
    _check_sources(files)
    with replacing_folder(folder) as beside:
        for name in folders.values():
            (beside / name).mkdir()
        write = partial(_write, folder=beside)
        for _ in in_parallel(write, files, label="Writing files", workers=workers, progress=progress):
            pass
        table.to_csv(beside / TABLE, index=False, encoding="utf-8", lineterminator="\n")
    return folder / TABLE


def _file(
    row: Any,
    cell: Any,
    column_folder: str,
    rows: int,
    writer: CellWriter,
    root: Path | None,
) -> _File:
    name = f"{column_folder}/{row_number(int(row)):0{len(str(rows))}}"
    if isinstance(cell, str | Path):
        source = _below(Path(cell), root)
        return _File(f"{name}{source.suffix}", source, writer)
    return _File(f"{name}{writer.suffix}", cell, writer)


def _below(path: Path, root: Path | None) -> Path:
    if root is None:
        return path
    source = (root / path).resolve()
    if not source.is_relative_to(root.resolve()):
        raise DataProblem(f"{path} is not below {root}.")
    return source


def _check_sources(files: list[_File]) -> None:
    lost = [str(file.cell) for file in files if isinstance(file.cell, Path) and not file.cell.is_file()]
    if lost:
        raise DataProblem(f"{len(lost)} files to copy are not there: {examples(lost)}.")


def _write(file: _File, folder: Path) -> None:
    if isinstance(file.cell, Path):
        shutil.copyfile(file.cell, folder / file.path)
    else:
        file.writer.write(folder / file.path, file.cell)


def _check_folder(folder: Path, *, overwrite: bool) -> None:
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    if not overwrite:
        raise UsageProblem(f"{folder} is there already: give another place, or --overwrite.")
    # What is no table was not written here, and is never thrown away.
    if not (folder / TABLE).is_file():
        raise UsageProblem(
            f"{folder} is no table (it has no {TABLE}), and is not overwritten: give another place."
        )
