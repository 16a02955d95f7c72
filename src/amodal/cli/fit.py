"""amodal fit."""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, TextIO

import typer

from amodal.cli.arguments import (
    ConfigOption,
    DataArgument,
    MediaRootOption,
    OverwriteOption,
    TypeOption,
    pairs,
    read_config,
)
from amodal.errors import UsageError


def fit(
    data: DataArgument,
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="MODEL", help="Folder to write the model to.")
    ],
    method: Annotated[
        str | None,
        typer.Option(
            help="latent-flow, mvtcae, mvae, mmvae, mopoe, mmvm, barycenter, hellinger or early-fusion. "
            "[default: latent-flow]"
        ),
    ] = None,
    types: TypeOption = None,
    config: ConfigOption = None,
    time_limit: Annotated[str | None, typer.Option(help="Most time, such as 90s, 5m or 1h30m.")] = None,
    epochs: Annotated[int | None, typer.Option(help="Most passes over the table.")] = None,
    batch_size: Annotated[
        int | None,
        typer.Option(help="Rows a step, over all devices. [default: 128, fewer where rows are few]"),
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Same seed, same result. [default: 0]")] = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu, cuda or mps. [default: auto]")] = None,
    precision: Annotated[
        str | None, typer.Option(help="auto, 32-true or bf16-mixed. [default: auto]")
    ] = None,
    devices: Annotated[
        str | None, typer.Option(help="Processes or graphics cards on this machine. [default: 1]")
    ] = None,
    num_nodes: Annotated[int | None, typer.Option(help="Machines. [default: 1]")] = None,
    strategy: Annotated[
        str | None, typer.Option(help="How they work together: ddp, fsdp. [default: auto]")
    ] = None,
    bad_cells: Annotated[
        str | None, typer.Option(help="Cells that cannot be read: error or missing.")
    ] = None,
    media_root: MediaRootOption = None,
    overwrite: OverwriteOption = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on from whatever an interrupted run left.")
    ] = False,
) -> None:
    """Learn a table and write the model."""
    # What is loaded next takes seconds, which the user's time limit counts.
    started = time.monotonic()
    from amodal.files import check_output_folder
    from amodal.training import global_rank

    if overwrite and resume:
        raise UsageError("--overwrite starts anew and --resume goes on: give one of them.")
    if global_rank() == 0:
        inputs = [data, media_root, config]
        check_output_folder(output, "model", overwrite=overwrite or resume, inputs=inputs)
    given = {
        "method": method,
        "time_limit": time_limit,
        "epochs": epochs,
        "batch_size": batch_size,
        "random_state": seed,
        "device": device,
        "precision": precision,
        "devices": int(devices) if devices and devices.isdigit() else devices,
        "num_nodes": num_nodes,
        "strategy": strategy,
        "bad_cells": bad_cells,
    }
    settings = read_config(config) | {name: value for name, value in given.items() if value is not None}
    if types:
        settings["types"] = {**settings.get("types", {}), **pairs(types, "--type")}
    from amodal.estimator import TableModel
    from amodal.run_folder import work_beside

    model = TableModel(**settings)
    try:
        with _printed_warnings():
            model.fit(
                data,
                media_root=media_root,
                output=output,
                overwrite=overwrite,
                resume=resume,
                started=started,
            )
    except (KeyboardInterrupt, OSError) as stop:
        work = work_beside(output)
        if work.is_dir():
            stop.add_note(f"Go on with the same command and --resume ({work} keeps what was done).")
        raise
    if not model.is_global_zero_:
        return
    for name, reason in model.schema_.ignored.items():
        typer.echo(f"{name} was left out: {reason}", err=True)
    if model.bad_cells_:
        typer.echo(f"{len(model.bad_cells_)} cells could not be read: {output / 'bad_cells.csv'}", err=True)
    seconds = sum(model.history_["seconds"].tail(1)) if len(model.history_) else 0.0
    typer.echo(f"{output}: {len(model.history_)} epochs in {seconds:.0f} s")


@contextmanager
def _printed_warnings() -> Iterator[None]:
    """Print what training warns of as a sentence, without the place in the code."""
    from sklearn.exceptions import ConvergenceWarning

    usual = warnings.showwarning

    def show(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        if issubclass(category, ConvergenceWarning):
            typer.echo(f"Warning: {message}", err=True)
        else:
            usual(message, category, filename, lineno, file, line)

    with warnings.catch_warnings():
        warnings.simplefilter("always", ConvergenceWarning)
        warnings.showwarning = show
        yield
