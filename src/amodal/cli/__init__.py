"""The command line: one file a command, each a thin call of the library."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from amodal.cli.compare import compare
from amodal.cli.complete import complete
from amodal.cli.demo import digits
from amodal.cli.embed import embed
from amodal.cli.evaluate import evaluate
from amodal.cli.exit_codes import exit_on_error, options, tolerate_encodings
from amodal.cli.features import features
from amodal.cli.fit import FitCommand, fit
from amodal.cli.inspect import inspect
from amodal.cli.methods import methods
from amodal.cli.sample import sample
from amodal.cli.score import score
from amodal.cli.search import search
from amodal.cli.split import split
from amodal.interrupts import signals_as_exceptions

__all__ = ["app", "main"]


class _Commands(TyperGroup):
    """Gives amodal's messages and exit codes; Typer knows neither its errors nor signals."""

    def invoke(self, ctx: Any) -> Any:
        with exit_on_error(options(self)):
            return super().invoke(ctx)


app = typer.Typer(
    cls=_Commands,
    help="Complete tables of pictures, sounds, texts, numbers and categories with one generative model.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback(invoke_without_command=True)
def _root(
    version: Annotated[bool, typer.Option("--version", help="Show the version and exit.")] = False,
) -> None:
    if version:
        from amodal import __version__

        typer.echo(f"amodal {__version__}")
        raise typer.Exit


demo = typer.Typer(help="Make a table to try things on.", no_args_is_help=True)
app.add_typer(demo, name="demo")
demo.command()(digits)


@demo.callback()
def _demo() -> None:
    """Make `digits` a subcommand, though it is the only one."""


for command in (
    inspect,
    split,
    features,
    fit,
    methods,
    sample,
    complete,
    embed,
    search,
    score,
    evaluate,
    compare,
):
    app.command(cls=FitCommand if command is fit else None)(command)


def main() -> None:
    """Run the command line; see `amodal.cli.exit_codes`."""
    tolerate_encodings()
    # Typer itself may fail before a command runs, as where it writes help to a full disk.
    with signals_as_exceptions(), exit_on_error():
        app()
