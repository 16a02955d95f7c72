"""The folders that commands read models from and write rows to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

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

    writers: dict[str, Any] = fitted.schema_.used
    path = write_table(frame, output, writers, root=root, overwrite=overwrite)
    typer.echo(f"{path}: {len(frame)} rows")


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print rows of words under columns."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(*columns)
    for row in rows:
        table.add_row(*map(Text, row))
    console = Console()
    with console.capture() as text:
        console.print(table)
    # Rich ends the process itself, with a code of its own, where nobody reads on.
    typer.echo(text.get(), nl=False)
