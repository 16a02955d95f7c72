"""The folders that commands read models from and write rows to."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    import pandas as pd

    from amodal.estimator import TableModel


def load(folder: Path, device: str) -> TableModel:
    """The model that `amodal fit` wrote to a folder."""
    from amodal.estimator import TableModel

    return TableModel.load(folder, device=device)


def write_rows(
    fitted: TableModel, frame: pd.DataFrame, output: Path, root: Path | None, overwrite: bool
) -> None:
    """Write rows as a folder of raw files, and say where."""
    from amodal.table import write_table

    path = write_table(frame, output, fitted.schema_.used, root=root, overwrite=overwrite)
    typer.echo(f"{path}: {len(frame)} rows")
