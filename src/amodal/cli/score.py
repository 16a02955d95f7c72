"""amodal score."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from amodal.cli.arguments import DataArgument, DeviceOption, MediaRootOption, ModelArgument, SeedOption
from amodal.cli.folders import load
from amodal.files import check_output_file, replacing_file


def score(
    model: ModelArgument,
    data: DataArgument,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE.csv", help="CSV file to write.")],
    samples: Annotated[int, typer.Option(help="Latents drawn for each estimate.")] = 100,
    seed: SeedOption = 0,
    media_root: MediaRootOption = None,
    device: DeviceOption = "auto",
) -> None:
    """Say how surprising each row and cell is, given the rest of its row, outliers first."""
    check_output_file(output, inputs=[model, data, media_root])
    scores = load(model, device).score_rows(data, samples=samples, media_root=media_root, seed=seed)
    with replacing_file(output) as path:
        scores.to_csv(path, index=False)
    typer.echo(f"{output}: {len(scores)} rows, the most surprising is row {scores['row'].iloc[0]}")
