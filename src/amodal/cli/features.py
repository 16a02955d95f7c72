"""amodal features."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from amodal.cli.arguments import (
    ConfigOption,
    DataArgument,
    EncodingOption,
    FollowLinksOption,
    MediaRootOption,
    OverwriteOption,
    SepOption,
    TypeOption,
    pairs,
    reading,
    table_model,
)
from amodal.files import check_output_file, replacing_file


def features(
    data: DataArgument,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE.parquet", help="File to write.")],
    types: TypeOption = None,
    config: ConfigOption = None,
    bad_cells: Annotated[
        str | None, typer.Option(help="Cells that cannot be read: error, or missing (listed beside FILE).")
    ] = None,
    media_root: MediaRootOption = None,
    sep: SepOption = None,
    encoding: EncodingOption = None,
    follow_links: FollowLinksOption = False,
    overwrite: OverwriteOption = False,
) -> None:
    """Write each cell's vector for other tools, one fixed-size list a cell; needs no model."""
    inputs = [data, media_root, config]
    check_output_file(output, overwrite=overwrite, inputs=inputs)
    model = table_model(config, {"types": pairs(types, "--type"), "bad_cells": bad_cells})
    from amodal.features import feature_metadata, write_features
    from amodal.table import is_bad_cell_list, write_bad_cells

    bad_cells_file = output.with_name(f"{output.stem}.bad_cells.csv")
    if model.bad_cells == "missing":
        check_output_file(bad_cells_file, overwrite=overwrite, inputs=inputs, is_ours=is_bad_cell_list)
    vectors = model.features(data, media_root=media_root, **reading(sep, encoding, follow_links))
    write_features(vectors, output)
    if model.bad_cells_:
        with replacing_file(bad_cells_file) as path:
            write_bad_cells(path, model.bad_cells_)
        typer.echo(f"{len(model.bad_cells_)} cells could not be read: {bad_cells_file}", err=True)
    typer.echo(f"{output}: {vectors.num_rows} rows")
    for name, column in feature_metadata(vectors).items():
        shape = "x".join(str(side) for side in column["shape"])
        typer.echo(f"  {name}: {column['type']}:{column['representation']}, {shape}; {column['unit']}")
