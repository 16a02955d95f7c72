"""Tables as folders that read back as the same table."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from amodal.errors import DataError, UnreadableCell, UsageError, examples
from amodal.files import check_output_folder, output_folder
from amodal.media import locate
from amodal.modalities import Modality
from amodal.parallel import in_parallel
from amodal.table.folder_names import folder_names
from amodal.table.reading import Table, row_number

__all__ = ["write_table"]

TABLE = "metadata.csv"


@dataclass(frozen=True)
class _File:
    path: str  # relative to the table's folder
    cell: Any
    modality: Modality


def write_table(
    frame: pd.DataFrame,
    folder: Path,
    modalities: Mapping[str, Modality],
    *,
    root: Path | None = None,
    overwrite: bool = False,
    sheets: Mapping[str, pd.DataFrame] | None = None,
) -> Path:
    """Write FOLDER/metadata.csv, and FOLDER/<column>/<row>.<suffix> for each cell that is a file.

    A column's folder is named after it, as far as a file system allows. Rows are numbered from 1, all with
    as many digits as the last. Missing cells, and empty strings, are empty cells.

    Args:
        frame: the rows; its index is not written. A cell of a column of files is a value of its modality, or
            a file to copy, which keeps its suffix: a string as in a table, or a `Path`.
        folder: the folder to write, atomically.
        modalities: column -> its modality. Cells of other columns, and of modalities without a suffix, are
            values in the CSV.
        root: the folder that strings which name files are relative to, and must stay below.
        overwrite: replace an existing table.
        sheets: file name -> a further table about the rows, written as CSV beside them.

    Returns:
        The path of metadata.csv.

    Raises:
        UsageError: the folder holds something, and either `overwrite` is not given or it is no table.
        DataError: files to copy do not exist, or are not below `root`; see `amodal.media.locate`.
    """
    check_output_folder(folder, "table", overwrite=overwrite, inputs=[root])
    file_columns = {
        name: modalities[name] for name in frame.columns if name in modalities and modalities[name].suffix
    }
    folders = folder_names(file_columns)
    table = frame.reset_index(drop=True)
    files: list[_File] = []
    for name, modality in file_columns.items():
        cells = table[name][table[name].map(_has_value)]
        paths: dict[int, str] = {}
        for row, cell in zip(cells.index, _resolve(name, cells, root), strict=True):
            suffix = cell.suffix if isinstance(cell, Path) else modality.suffix
            paths[row] = f"{folders[name]}/{row_number(row):0{len(str(len(table)))}}{suffix}"
            files.append(_File(paths[row], cell, modality))
        table[name] = pd.Series(paths, dtype="str").reindex(table.index)
    with output_folder(folder, "table", overwrite=overwrite, inputs=[root]) as staging:
        for name in folders.values():
            (staging / name).mkdir()
        write = partial(_write, folder=staging)
        for _ in in_parallel(write, files, label="Writing files"):
            pass
        table.to_csv(
            staging / TABLE, index=False, encoding="utf-8", lineterminator="\n", quoting=_quoting(table)
        )
        for name, sheet in (sheets or {}).items():
            sheet.to_csv(staging / name, index=False, encoding="utf-8", lineterminator="\n")
    return folder / TABLE


def _has_value(cell: Any) -> bool:
    # pandas would test each value of an array.
    return not (pd.api.types.is_scalar(cell) and (pd.isna(cell) or cell == ""))


def _quoting(table: pd.DataFrame) -> Literal[0, 2]:
    # Python's csv leaves a lone carriage return unquoted, and reads it back as the end of a row.
    has_return = table.map(lambda cell: isinstance(cell, str) and "\r" in cell)
    return csv.QUOTE_NONNUMERIC if has_return.to_numpy().any() else csv.QUOTE_MINIMAL


def _resolve(name: str, cells: pd.Series, root: Path | None) -> list[Any]:
    """The cells, names of files resolved to paths."""
    problems: list[str] = []
    resolved: list[Any] = []
    for cell in cells:
        try:
            resolved.append(locate(cell, root) if isinstance(cell, str) else cell)
        except UnreadableCell as reason:
            problems.append(f"{cell!r} {reason}")
    if problems:
        raise DataError(f"Column {name!r}: {len(problems)} files cannot be copied: {examples(problems)}.")
    return resolved


def _write(file: _File, folder: Path) -> None:
    if isinstance(file.cell, Path):
        shutil.copyfile(file.cell, folder / file.path)
    else:
        (folder / file.path).write_bytes(file.modality.to_bytes(file.cell))


def check_media_kept(table: Table, modalities: Mapping[str, Modality], output: Path) -> None:
    """Check that no file that a table's cells name is in a folder that is to be replaced.

    Args:
        table: the table that is read.
        modalities: column -> its modality; cells of those without a suffix name no files.
        output: the folder.

    Raises:
        UsageError: one is.
    """
    if not output.exists():
        return
    folder = output.resolve()
    for name in table.columns:
        if name not in modalities or not modalities[name].suffix:
            continue
        for cell in table.frame[name].dropna():
            with suppress(UnreadableCell):
                if isinstance(cell, str) and locate(cell, table.root).is_relative_to(folder):
                    raise UsageError(f"{output} holds {cell}, which {table.source} names: give another path.")
