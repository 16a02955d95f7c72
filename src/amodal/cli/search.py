"""amodal search."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from amodal.cli.arguments import DataArgument, DeviceOption, MediaRootOption, ModelArgument, names, pairs
from amodal.cli.folders import load, print_table
from amodal.errors import UsageError
from amodal.files import check_output_file, replacing_file


def search(
    model: ModelArgument,
    data: DataArgument,
    given: Annotated[
        list[str] | None,
        typer.Option(metavar="COL=VALUE", help="A cell to search by, such as image=photo.png; repeatable."),
    ] = None,
    query: Annotated[
        Path | None, typer.Option(metavar="DATA", help="A table of rows to search by, instead of --given.")
    ] = None,
    columns: Annotated[
        str | None, typer.Option(metavar="A,B", help="Compare by these columns alone.")
    ] = None,
    k: Annotated[int, typer.Option("-k", help="Rows to find.")] = 10,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="FILE.csv", help="CSV file to write; else printed."),
    ] = None,
    media_root: MediaRootOption = None,
    device: DeviceOption = "auto",
) -> None:
    """Find the rows nearest to a picture, a sound, a text, or any mixture of cells."""
    import pandas as pd

    if (query is None) == (not given):
        raise UsageError("Search by --given COL=VALUE, or by the rows of --query DATA.")
    if output is not None:
        check_output_file(output, inputs=[model, data, query, media_root])
    fitted = load(model, device)
    cells = pairs(given, "--given")
    asked = query if query is not None else pd.DataFrame({name: [cell] for name, cell in cells.items()})
    found = fitted.search(
        asked,
        data,
        columns=names(columns),
        k=k,
        media_root=media_root,
        query_root=Path.cwd() if query is None else media_root,
    )
    if output is not None:
        with replacing_file(output) as path:
            found.to_csv(path, index=False)
        typer.echo(f"{output}: {len(found)} rows")
        return
    print_table(
        list(found.columns),
        [[str(row.query), str(row.row), f"{row.distance:.4g}"] for row in found.itertuples()],
    )
