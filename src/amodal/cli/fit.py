"""amodal fit."""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperOption

from amodal.cli.arguments import (
    ConfigOption,
    DataArgument,
    EncodingOption,
    FollowLinksOption,
    MediaRootOption,
    MissingOption,
    OverwriteOption,
    SepOption,
    TypeOption,
    missing_codes,
    pairs,
    reading,
    table_model,
)

_RANKS = ("RANK", "LOCAL_RANK", "SLURM_PROCID", "JSM_NAMESPACE_RANK")
"""Variables by which Lightning numbers the processes of a run; the first checks the folders."""
_training = partial(typer.Option, rich_help_panel="Training")
_machine = partial(typer.Option, rich_help_panel="Machine")


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
    missing: MissingOption = None,
    bad_cells: Annotated[
        str | None, typer.Option(help="Cells that cannot be read: error or missing.")
    ] = None,
    rules: Annotated[
        list[str] | None,
        typer.Option(
            "--rule",
            metavar="CONDITION",
            help='A condition that all rows keep, also those that are drawn, such as "low <= high" or '
            '"total == a + b"; repeatable.',
        ),
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
    time_limit: Annotated[str | None, _training(help="Most time, such as 90s, 5m or 1h30m.")] = None,
    epochs: Annotated[int | None, _training(help="Most passes over the table; none for 1,000.")] = None,
    batch_size: Annotated[
        int | None,
        _training(help="Rows a step, over all devices; none for 128, or fewer where rows are few."),
    ] = None,
    random_state: Annotated[int | None, _training("--seed", help="Same seed, same result.")] = None,
    device: Annotated[str | None, _machine(help="auto, cpu, cuda or mps.")] = None,
    precision: Annotated[str | None, _machine(help="auto, 32-true or bf16-mixed.")] = None,
    devices: Annotated[str | None, _machine(help="Processes or graphics cards on this machine.")] = None,
    num_nodes: Annotated[int | None, _machine(help="Machines.")] = None,
    strategy: Annotated[
        str | None, _machine(help="Distributed strategy, as Lightning has it: ddp, fsdp.")
    ] = None,
    media_root: MediaRootOption = None,
    sep: SepOption = None,
    encoding: EncodingOption = None,
    follow_links: FollowLinksOption = False,
    overwrite: OverwriteOption = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on where an interrupted run stopped.")] = False,
) -> None:
    """Learn a table and write the model."""
    # The imports that follow take seconds, which count towards the time limit.
    started = time.monotonic()
    from amodal.files import check_output_folder

    if not any(os.environ.get(name, "0") != "0" for name in _RANKS):
        inputs = [data, media_root, config]
        check_output_folder(output, "model", overwrite=overwrite or resume, inputs=inputs)
    given = {
        "method": method,
        "types": pairs(types, "--type"),
        "missing": missing_codes(missing),
        "bad_cells": bad_cells,
        "rules": rules,
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
    from amodal.run_folder import default_work_folder

    try:
        with _printed_warnings():
            model._fit(
                data,
                started,
                media_root=media_root,
                output=output,
                overwrite=overwrite,
                resume=resume,
                reading=reading(sep, encoding, follow_links),
            )
    except (KeyboardInterrupt, OSError) as stop:
        work = default_work_folder(output)
        if work.is_dir():
            stop.add_note(f"Go on with the same command and --resume ({work} keeps the progress).")
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
    """Print a convergence warning as one sentence, without its place in the code."""
    from sklearn.exceptions import ConvergenceWarning

    usual = warnings.showwarning

    def show(message: Warning | str, category: type[Warning], *place: Any, **options: Any) -> None:
        if issubclass(category, ConvergenceWarning):
            typer.echo(f"Warning: {message}", err=True)
        else:
            usual(message, category, *place, **options)

    with warnings.catch_warnings():
        warnings.simplefilter("always", ConvergenceWarning)
        warnings.showwarning = show
        yield
