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

from amodal.errors import DataError, UnreadableCell, UsageError, examples, shorten
from amodal.files import check_output_folder, output_folder
from amodal.media import IMAGE_SUFFIXES, MediaFile, cell_text, locate, media_file
from amodal.modalities import Modality
from amodal.parallel import in_parallel
from amodal.table.folder_names import folder_names
from amodal.table.reading import FILE_NAME, Table, row_number

__all__ = ["write_table"]

TABLE = "metadata.csv"
_LONGEST = 80  # characters of a cell in a message


@dataclass(frozen=True)
class _File:
    path: str  # relative to the table's folder
    source: Path | bytes


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
        frame: the rows; its index is not written. A cell of a column of files is an image or sound in any form (see
            `amodal.media.cells`); a file, or its content, is copied, and keeps its suffix.
        folder: the folder to write, atomically.
        modalities: column -> its modality. Cells of other columns, and of modalities without a suffix, are
            values in the CSV.
        root: the folder that cells which name files are relative to, and must stay below.
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
        for row, (source, suffix) in zip(cells.index, _sources(name, cells, root, modality), strict=True):
            paths[row] = f"{folders[name]}/{row_number(row):0{len(str(len(table)))}}{suffix}"
            files.append(_File(paths[row], source))
        table[name] = pd.Series(paths, dtype="str").reindex(table.index)
    with output_folder(folder, "table", overwrite=overwrite, inputs=[root]) as staging:
        for name in folders.values():
            (staging / name).mkdir()
        write = partial(_write, folder=staging)
        for _ in in_parallel(write, files, label="Writing files"):
            pass
        for name, repeated in _file_names(file_columns, table).items():
            table[repeated] = table[name]
        table.to_csv(
            staging / TABLE, index=False, encoding="utf-8", lineterminator="\n", quoting=_quoting(table)
        )
        for name, sheet in (sheets or {}).items():
            sheet.to_csv(staging / name, index=False, encoding="utf-8", lineterminator="\n")
    return folder / TABLE


def _file_names(columns: Mapping[str, Modality], table: pd.DataFrame) -> dict[str, str]:
    """Column -> name under which it is written again, by which `datasets` knows files; `read_table` leaves it out.

    Its ImageFolder, and AudioFolder where there are no images, reads `photo_file_name` as the feature `photo`.
    """
    images = [name for name, modality in columns.items() if modality.suffix in IMAGE_SUFFIXES]
    names = [
        name for name in images or columns if not name.endswith("file_name") and table[name].notna().all()
    ]
    return {name: f"{name}{FILE_NAME}" for name in names if f"{name}{FILE_NAME}" not in table}


def _has_value(cell: Any) -> bool:
    # pandas would test each value of an array.
    return not (pd.api.types.is_scalar(cell) and (pd.isna(cell) or cell == ""))


def _quoting(table: pd.DataFrame) -> Literal[0, 2]:
    # Python's csv leaves a lone carriage return unquoted, and reads it back as the end of a row.
    has_return = table.map(lambda cell: isinstance(cell, str) and "\r" in cell)
    return csv.QUOTE_NONNUMERIC if has_return.to_numpy().any() else csv.QUOTE_MINIMAL


def _sources(
    name: str, cells: pd.Series, root: Path | None, modality: Modality
) -> list[tuple[Path | bytes, str]]:
    """For each cell a file to copy or a new one's content, and its suffix."""
    problems: list[str] = []
    sources: list[tuple[Path | bytes, str]] = []
    for cell in cells:
        try:
            # A program's own `Path` may lie anywhere, unlike what a table's text names.
            named = MediaFile(str(cell)) if isinstance(cell, Path) and cell.is_absolute() else cell
            file = media_file(named, root)
            if file is None:
                file = modality.to_bytes(cell), str(modality.suffix)
            sources.append((file, file.suffix) if isinstance(file, Path) else file)
        except UnreadableCell as reason:
            problems.append(f"{shorten(cell_text(cell), _LONGEST)!r} {reason}")
    if problems:
        raise DataError(f"Column {name!r}: {len(problems)} files cannot be copied: {examples(problems)}.")
    return sources


def _write(file: _File, folder: Path) -> None:
    if isinstance(file.source, Path):
        shutil.copyfile(file.source, folder / file.path)
    else:
        (folder / file.path).write_bytes(file.source)


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
