"""amodal complete."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, cast

import typer

from amodal.cli.arguments import (
    BadCellsOption,
    DataArgument,
    DeviceOption,
    EncodingOption,
    FastOption,
    FolderOption,
    FollowLinksOption,
    GuidanceOption,
    MediaRootOption,
    ModelArgument,
    OverwriteOption,
    SeedOption,
    SepOption,
    names,
    reading,
)
from amodal.cli.folders import load, write_rows
from amodal.files import check_output_folder

if TYPE_CHECKING:
    from amodal.table import BadCellPolicy


def complete(
    model: ModelArgument,
    data: DataArgument,
    output: FolderOption,
    given: Annotated[str | None, typer.Option(metavar="A,B", help="Use only these columns' cells.")] = None,
    columns: Annotated[
        str | None, typer.Option(metavar="C,D", help="Draw these columns, also where a cell is present.")
    ] = None,
    draws: Annotated[int, typer.Option(help="Completions of each row.")] = 1,
    guidance: GuidanceOption = None,
    fast: FastOption = False,
    seed: SeedOption = 0,
    bad_cells: BadCellsOption = "error",
    media_root: MediaRootOption = None,
    sep: SepOption = None,
    encoding: EncodingOption = None,
    follow_links: FollowLinksOption = False,
    device: DeviceOption = "auto",
    overwrite: OverwriteOption = False,
) -> None:
    """Draw the missing cells of a table, or some columns given others."""
    from amodal.table import check_media_kept

    check_output_folder(output, "table", overwrite=overwrite, inputs=[model, data, media_root])
    fitted = load(model, device)
    table = fitted._read(data, media_root, reading(sep, encoding, follow_links))
    check_media_kept(table, fitted.schema_.used, output)
    completed = fitted._complete(
        table,
        columns=names(columns),
        given=names(given),
        draws=draws,
        guidance=guidance,
        fast=fast,
        bad_cells=cast("BadCellPolicy", bad_cells),
        seed=seed,
    )
    write_rows(fitted, completed.frame, output, table.root, overwrite)
