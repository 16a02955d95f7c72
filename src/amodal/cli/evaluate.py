"""amodal evaluate."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from amodal.cli.arguments import (
    BadCellsOption,
    DataArgument,
    DeviceOption,
    EncodingOption,
    FolderOption,
    FollowLinksOption,
    MediaRootOption,
    ModelArgument,
    OverwriteOption,
    SeedOption,
    SepOption,
    reading,
)
from amodal.cli.folders import load
from amodal.errors import UsageError
from amodal.files import check_output_folder

if TYPE_CHECKING:
    from amodal.table import BadCellPolicy


def evaluate(
    model: ModelArgument,
    data: DataArgument,
    output: FolderOption,
    target: Annotated[
        str | None, typer.Option(metavar="COL", help="Ask what the other columns say of this one.")
    ] = None,
    training: Annotated[
        Path | None,
        typer.Option(metavar="DATA", help="The table that the model was fitted to, to look for copies."),
    ] = None,
    fail_under: Annotated[
        float | None,
        typer.Option(metavar="X", help="Exit with 4 where the overall score, 0 to 1, is below."),
    ] = None,
    seed: SeedOption = 0,
    bad_cells: BadCellsOption = "error",
    media_root: MediaRootOption = None,
    sep: SepOption = None,
    encoding: EncodingOption = None,
    follow_links: FollowLinksOption = False,
    device: DeviceOption = "auto",
    overwrite: OverwriteOption = False,
) -> None:
    """Judge a model by rows that it was not fitted to.

    The overall score is the lowest of three. Fidelity: how far generated cells come from a random baseline, 0, to real
    ones, 1, in the worst column. Matching accuracy: what columns drawn from one another have of real rows' agreement
    beyond chance. Whole rows: the same of rows drawn with nothing given.
    """
    if fail_under is not None and not 0 <= fail_under <= 1:
        raise UsageError(f"--fail-under must be 0 to 1, not {fail_under}.")
    check_output_folder(output, "report", overwrite=overwrite, inputs=[model, data, training, media_root])
    fitted = load(model, device)
    report = fitted.evaluate(
        data,
        target=target,
        training=training,
        bad_cells=cast("BadCellPolicy", bad_cells),
        media_root=media_root,
        seed=seed,
        output=output,
        overwrite=overwrite,
        **reading(sep, encoding, follow_links),
    )
    overall = report.summary.overall
    typer.echo("\n".join(report.summary.sentences))
    if report.unavailable:
        typer.echo(f"{len(report.unavailable)} metrics are unavailable; the report says why.")
    score = "none could be had" if overall is None else f"{overall.value:.2f}"
    typer.echo(f"{output / 'report.html'}: overall score {score}")
    if fail_under is not None and (overall is None or overall.value < fail_under):
        typer.echo(f"The overall score ({score}) is below the {fail_under:g} asked for.", err=True)
        raise typer.Exit(4)
