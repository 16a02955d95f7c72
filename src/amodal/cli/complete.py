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
    WhereOption,
    names,
    reading,
)
from amodal.cli.folders import echo_tries, load, write_rows
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
    where: WhereOption = None,
    draws: Annotated[int, typer.Option(help="Completions of each row.")] = 1,
    best: Annotated[
        bool,
        typer.Option(
            "--best",
            help="The likeliest label, the median number, the likeliest of some texts, the most typical of some images "
            "or sounds, in place of draws.",
        ),
    ] = False,
    certainty: Annotated[
        bool,
        typer.Option(
            "--certainty",
            help="Write certainty.csv: the probability of each drawn label, an interval of 80 % of each drawn number.",
        ),
    ] = False,
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
    """Draw the missing cells of a table, or some columns given others.

    In the folder are metadata.csv, the completed table, and drawn.csv, which says of each cell whether it was drawn.
    """
    from amodal.table import check_media_kept

    check_output_folder(output, "table", overwrite=overwrite, inputs=[model, data, media_root])
    fitted = load(model, device)
    table = fitted._read(data, media_root, reading(sep, encoding, follow_links))
    check_media_kept(table, fitted.schema_.used, output)
    completed = fitted._complete(
        table,
        fitted._conditions(where),
        columns=names(columns),
        given=names(given),
        draws=draws,
        best=best,
        certainty=certainty,
        guidance=guidance,
        fast=fast,
        bad_cells=cast("BadCellPolicy", bad_cells),
        seed=seed,
    )
    frame = completed.frame
    echo_tries(frame)
    sheets = {
        f"{name}.csv": frame.attrs[name].to_frame() for name in ("drawn", "certainty") if name in frame.attrs
    }
    write_rows(fitted, frame, output, table.root, overwrite, sheets)
