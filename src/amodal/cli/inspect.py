"""amodal inspect."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

from amodal.cli.arguments import (
    DataArgument,
    EncodingOption,
    FollowLinksOption,
    MediaRootOption,
    MissingOption,
    SepOption,
    TypeOption,
    missing_codes,
    pairs,
    reading,
)
from amodal.cli.folders import print_table


def inspect(
    data: DataArgument,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
    types: TypeOption = None,
    missing: MissingOption = None,
    media_root: MediaRootOption = None,
    sep: SepOption = None,
    encoding: EncodingOption = None,
    follow_links: FollowLinksOption = False,
) -> None:
    """Show each column's type and why, how much is missing, and an example."""
    from amodal.modalities import MODALITIES
    from amodal.table import check_columns, describe, infer_schema, mark_missing, read_table

    table = read_table(data, media_root, **reading(sep, encoding, follow_links))
    codes = missing_codes(missing) or {}
    check_columns(codes, table)
    schema = infer_schema(mark_missing(table, codes), MODALITIES, pairs(types, "--type"))
    rows = describe(schema)
    if as_json:
        is_utf = (sys.stdout.encoding or "").lower().startswith("utf")
        typer.echo(json.dumps(rows, ensure_ascii=not is_utf, indent=1))
        return
    print_table(
        ["column", "type", "why", "missing", "example"],
        [
            (
                row["column"],
                row["type"] + (f":{row['representation']}" if row["representation"] else ""),
                row["reason"],
                f"{row['missing']:.0%}",
                str(row["example"]),
            )
            for row in rows
        ],
    )
