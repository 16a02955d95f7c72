"""amodal split."""

from __future__ import annotations

from typing import Annotated

import typer

from amodal.cli.arguments import DataArgument, FolderOption, MediaRootOption, OverwriteOption, SeedOption
from amodal.files import check_output_folder


def split(
    data: DataArgument,
    output: FolderOption,
    test: Annotated[float, typer.Option(help="Share of the rows to test by, or their number.")] = 0.2,
    group: Annotated[
        str | None,
        typer.Option("--group", "--by", metavar="COL", help="Column of which no value is in both parts."),
    ] = None,
    time: Annotated[
        str | None, typer.Option(metavar="COL", help="Column by which the last rows are the test rows.")
    ] = None,
    seed: SeedOption = 0,
    media_root: MediaRootOption = None,
    overwrite: OverwriteOption = False,
) -> None:
    """Split a table into training and test rows, DIR/train and DIR/test, with copies of their media."""
    from amodal.answers import split_rows
    from amodal.modalities import MODALITIES
    from amodal.table import check_media_kept, infer_schema, read_table, write_table

    parts = {name: output / name for name in ("train", "test")}
    for folder in parts.values():
        check_output_folder(folder, "table", overwrite=overwrite, inputs=[data, media_root])
    table = read_table(data, media_root)
    rows = dict(
        zip(parts, split_rows(table.frame, test=test, group=group, time=time, seed=seed), strict=True)
    )
    modalities = infer_schema(table, MODALITIES, {}).used
    for name, folder in parts.items():
        check_media_kept(table, modalities, folder)
        part = table.frame.iloc[rows[name]].reset_index(drop=True)
        path = write_table(part, folder, modalities, root=table.root, overwrite=overwrite)
        typer.echo(f"{path}: {len(part)} rows")
