"""amodal fit."""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, TextIO

import typer
from typer.core import TyperCommand, TyperOption

from amodal.cli.arguments import (
    ConfigOption,
    DataArgument,
    MediaRootOption,
    OverwriteOption,
    TypeOption,
    pairs,
    table_model,
)
from amodal.errors import UsageError

_TRAINING, _MACHINE, _FILES = "Training", "Machine", "Files"
"""Panels of `amodal fit --help`."""


class FitCommand(TyperCommand):
    """Shows in `--help` the methods, and the defaults that options leave to `TableModel` and to settings."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        from amodal.estimator import TableModel
        from amodal.methods import DEFAULT_METHOD, METHODS, method_named
        from amodal.settings import parameters, settings_of

        settings = settings_of(method_named(DEFAULT_METHOD))
        settings |= {setting.field: setting for setting in parameters("TableModel", TableModel)}
        for option in self.params:
            if isinstance(option, TyperOption) and option.name in settings and not option.multiple:
                default = settings[option.name].default
                option.default, option.show_default = default, "none" if default is None else True
            if isinstance(option, TyperOption) and option.name == "method":
                option.help = f"One of {', '.join(method.name for method in METHODS)}."
        super().format_help(ctx, formatter)


def fit(
    data: DataArgument,
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="MODEL", help="Folder to write the model to.")
    ],
    method: Annotated[
        str | None, typer.Option(help="Name of the method; `amodal methods` lists them.")
    ] = None,
    types: TypeOption = None,
    bad_cells: Annotated[
        str | None, typer.Option(help="Cells that cannot be read: error or missing.")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="NAME=VALUE",
            help="A hyper-parameter of the method, such as guidance=2; repeatable. `amodal methods NAME` lists them.",
        ),
    ] = None,
    config: ConfigOption = None,
    time_limit: Annotated[
        str | None,
        typer.Option(help="Most time, such as 90s, 5m or 1h30m.", rich_help_panel=_TRAINING),
    ] = None,
    epochs: Annotated[
        int | None,
        typer.Option(help="Most passes over the table; none for 1,000.", rich_help_panel=_TRAINING),
    ] = None,
    batch_size: Annotated[
        int | None,
        typer.Option(
            help="Rows a step, over all devices; none for 128, or fewer where rows are few.",
            rich_help_panel=_TRAINING,
        ),
    ] = None,
    random_state: Annotated[
        int | None, typer.Option("--seed", help="Same seed, same result.", rich_help_panel=_TRAINING)
    ] = None,
    device: Annotated[
        str | None, typer.Option(help="auto, cpu, cuda or mps.", rich_help_panel=_MACHINE)
    ] = None,
    precision: Annotated[
        str | None, typer.Option(help="auto, 32-true or bf16-mixed.", rich_help_panel=_MACHINE)
    ] = None,
    devices: Annotated[
        str | None,
        typer.Option(help="Processes or graphics cards on this machine.", rich_help_panel=_MACHINE),
    ] = None,
    num_nodes: Annotated[int | None, typer.Option(help="Machines.", rich_help_panel=_MACHINE)] = None,
    strategy: Annotated[
        str | None, typer.Option(help="How they work together: ddp, fsdp.", rich_help_panel=_MACHINE)
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
        "types": pairs(types, "--type"),
        "bad_cells": bad_cells,
        "time_limit": time_limit,
        "epochs": epochs,
        "batch_size": batch_size,
        "random_state": random_state,
        "device": device,
        "precision": precision,
        "devices": devices,
        "num_nodes": num_nodes,
        "strategy": strategy,
    }
    model = table_model(config, given | pairs(settings, "--set", "NAME"))
    from amodal.run_folder import work_beside

    try:
        with _printed_warnings():
            model._fit(
                data,
                started,
                media_root=media_root,
                output=output,
                overwrite=overwrite,
                resume=resume,
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
