"""amodal compare."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, cast

import typer

from amodal.cli.arguments import (
    BadCellsOption,
    DataArgument,
    DeviceOption,
    FolderOption,
    MediaRootOption,
    SeedOption,
    TypeOption,
    names,
    pairs,
)
from amodal.cli.folders import echo

if TYPE_CHECKING:
    import pandas as pd

    from amodal.table import BadCellPolicy


def compare(
    data: DataArgument,
    output: FolderOption,
    methods: Annotated[
        str | None, typer.Option(metavar="A,B", help="The methods, by name. [default: all]")
    ] = None,
    time_limit: Annotated[
        str | None,
        typer.Option(
            help="Most time that each method is fitted for, such as 90s, 5m or 1h30m. "
            "[default: 5m, or no limit with --epochs]"
        ),
    ] = None,
    epochs: Annotated[int | None, typer.Option(help="Most passes over the table, of each method.")] = None,
    target: Annotated[
        str | None, typer.Option(metavar="COL", help="Ask what the other columns say of this one.")
    ] = None,
    types: TypeOption = None,
    seed: SeedOption = 0,
    bad_cells: BadCellsOption = "error",
    media_root: MediaRootOption = None,
    device: DeviceOption = "auto",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Begin anew what is in DIR.")] = False,
) -> None:
    """Fit several methods under the same budget, judge each by the same held-out rows, and say which to take.

    The same command goes on where it was interrupted. A method that fails does not end the others.
    """
    from amodal.comparison import compare

    try:
        leaderboard = compare(
            data,
            methods=names(methods),
            time_limit=time_limit,
            epochs=epochs,
            target=target,
            output=output,
            types=pairs(types, "--type"),
            bad_cells=cast("BadCellPolicy", bad_cells),
            media_root=media_root,
            device=device,
            seed=seed,
            overwrite=overwrite,
        )
    except (KeyboardInterrupt, OSError) as stop:
        stop.add_note("The same command goes on with the methods that are left.")
        raise
    _show_leaderboard(leaderboard)
    typer.echo("\n".join(sentence.replace("`", "") for sentence in leaderboard.attrs["advice"]))
    typer.echo(f"{output / 'report.html'}: {len(leaderboard)} methods")
    if leaderboard["failure"].notna().all():
        raise typer.Exit(3)


def _show_leaderboard(leaderboard: pd.DataFrame) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    scores = ["overall", "fidelity", "matching_accuracy", "whole_rows", "completion", "target"]
    costs = {
        "seconds": ("s", "{:.0f}", 1),
        "memory_mb": ("GB", "{:.1f}", 1e3),
        "parameters": ("size", "{:.1f}M", 1e6),
    }
    # A row fits into 80 letters.
    titles = {"matching_accuracy": "pairs", "whole_rows": "rows", "completion": "complete"}
    columns = {
        name: (titles.get(name, name), "{:.2f}", 1.0) for name in scores if name in leaderboard
    } | costs
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column("method", no_wrap=True)
    for title, _, _ in columns.values():
        table.add_column(title, justify="right")
    for row in leaderboard.to_dict(orient="records"):
        if isinstance(row["failure"], str):
            table.add_row(row["method"], "failed")
            continue
        cells = [
            form.format(float(row[name]) / unit) if row[name] == row[name] else "–"
            for name, (_, form, unit) in columns.items()
        ]
        table.add_row(row["method"], *cells)
    echo(table)
