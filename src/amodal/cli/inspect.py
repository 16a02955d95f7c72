"""amodal inspect."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from amodal.cli.arguments import DataArgument, MediaRootOption, TypeOption, pairs


def inspect(
    data: DataArgument,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
    types: TypeOption = None,
    media_root: MediaRootOption = None,
) -> None:
    """Show each column's type and why, how much is missing, and an example."""
    from amodal.modalities import MODALITIES
    from amodal.table import describe, infer_schema, read_table

    schema = infer_schema(read_table(data, media_root), MODALITIES, pairs(types, "--type"))
    rows = describe(schema)
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=1))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    shown = Table("column", "type", "why", "missing", "example")
    for row in rows:
        kind = row["type"] + (f":{row['representation']}" if row["representation"] else "")
        shown.add_row(
            Text(row["column"]), kind, Text(row["reason"]), f"{row['missing']:.0%}", Text(str(row["example"]))
        )
    console = Console()
    with console.capture() as text:
        console.print(shown)
    # Rich ends the process itself, with a code of its own, where nobody reads on.
    typer.echo(text.get(), nl=False)
