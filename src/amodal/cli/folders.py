"""Input and output that several commands share: models, rows and printed tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    import pandas as pd
    from rich.table import Table

    from amodal.estimator import TableModel


def load(folder: Path, device: str) -> TableModel:
    """Load a model that `amodal fit` wrote."""
    from amodal.estimator import TableModel

    return TableModel.load(folder, device=device)


def write_rows(
    fitted: TableModel,
    frame: pd.DataFrame,
    output: Path,
    root: Path | None,
    overwrite: bool,
    sheets: Mapping[str, pd.DataFrame] | None = None,
) -> None:
    """Write rows as a folder of media files and metadata, with further tables, and print its path."""
    from amodal.table import write_table

    path = write_table(frame, output, fitted.schema_.used, root=root, overwrite=overwrite, sheets=sheets)
    typer.echo(f"{path}: {len(frame)} rows")


def echo_tries(frame: pd.DataFrame) -> None:
    """Say on stderr how often a row was drawn to meet conditions, where it was more than once."""
    tries = frame.attrs.get("tries", 1)
    if tries > 1:
        typer.echo(f"A row took up to {tries} draws to meet all conditions.", err=True)


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print rows of words under columns."""
    from rich.table import Table
    from rich.text import Text

    table = Table(*columns)
    for row in rows:
        table.add_row(*map(Text, row))
    echo(table)


def echo(table: Table) -> None:
    """Print a table of Rich's."""
    from rich.console import Console

    console = Console()
    with console.capture() as text:
        console.print(table)
    # Written by Rich, a closed pipe would end the process with an exit code of Rich's.
    typer.echo(text.get(), nl=False)
