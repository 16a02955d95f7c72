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
    pairs,
)
from amodal.cli.folders import load, write_rows
from amodal.files import check_output_folder


def sample(
    model: ModelArgument,
    n: Annotated[int, typer.Option("-n", help="Number of rows.")],
    output: FolderOption,
    given: Annotated[
        list[str] | None,
        typer.Option(metavar="COL=VALUE", help="A cell of every row; repeatable."),
    ] = None,
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
    frame = fitted._sample(n, given=cells, guidance=guidance, fast=fast, seed=seed)
    write_rows(fitted, frame, output, Path.cwd(), overwrite)
