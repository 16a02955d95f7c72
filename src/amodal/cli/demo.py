"""amodal demo."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from amodal.cli.arguments import SeedOption


def digits(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder to make.")],
    rows: Annotated[int, typer.Option(help="Rows, up to 4,500.")] = 2000,
    missing: Annotated[float, typer.Option(help="Share of cells left out.")] = 0.2,
    seed: SeedOption = 0,
) -> None:
    """Spoken and handwritten digits: pictures, speech, captions, numbers, categories, and holes."""
    from amodal.datasets.digits import make_digits

    make_digits(folder, rows=rows, missing=missing, seed=seed)
    typer.echo(
        f"{folder / 'metadata.csv'}: {rows} rows with holes; {folder / 'heldout.csv'}: 500 complete rows"
    )
