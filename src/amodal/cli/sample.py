"""amodal sample."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from amodal.cli.arguments import (
    DeviceOption,
    FastOption,
    FolderOption,
    GuidanceOption,
    ModelArgument,
    OverwriteOption,
    SeedOption,
    WhereOption,
    label_shares,
    names,
    pairs,
)
from amodal.cli.folders import echo_tries, load, write_rows
from amodal.files import check_output_folder


def sample(
    model: ModelArgument,
    n: Annotated[int, typer.Option("-n", help="Number of rows.")],
    output: FolderOption,
    given: Annotated[
        list[str] | None,
        typer.Option(metavar="COL=VALUE", help="A cell of every row; repeatable."),
    ] = None,
    where: WhereOption = None,
    balance: Annotated[
        str | None, typer.Option(metavar="A,B", help="Columns of which each label is equally frequent.")
    ] = None,
    shares: Annotated[
        str | None,
        typer.Option(
            metavar="COL=LABEL:SHARE,...",
            help="Shares of a column's labels, such as kind=a:.5,b:.5; a semicolon before another column.",
        ),
    ] = None,
    holes: Annotated[
        bool, typer.Option("--holes", help="Draw the holes too, in the patterns of the fitted table.")
    ] = False,
    guidance: GuidanceOption = None,
    fast: FastOption = False,
    seed: SeedOption = 0,
    device: DeviceOption = "auto",
    overwrite: OverwriteOption = False,
) -> None:
    """Generate rows."""
    cells = pairs(given, "--given")
    files = [cell for cell in cells.values() if os.path.isfile(cell)]  # noqa: PTH113, long texts among them
    check_output_folder(output, "table", overwrite=overwrite, inputs=[model, *files])
    fitted = load(model, device)
    frame = fitted._sample(
        n,
        given=cells,
        where=where,
        balance=names(balance),
        shares=label_shares(shares),
        holes=holes,
        guidance=guidance,
        fast=fast,
        seed=seed,
    )
    echo_tries(frame)
    write_rows(fitted, frame, output, Path.cwd(), overwrite)
