"""The command line: thin faces of `TableModel`'s calls, a file a command."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from amodal.cli.compare import compare
from amodal.cli.complete import complete
from amodal.cli.demo import digits
from amodal.cli.embed import embed
from amodal.cli.evaluate import evaluate
from amodal.cli.features import features
from amodal.cli.fit import fit
from amodal.cli.inspect import inspect
from amodal.cli.sample import sample
from amodal.problems import DataProblem, UsageProblem

__all__ = ["app", "main"]

app = typer.Typer(
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
    """Keeps `digits` a command of its own."""


for command in (inspect, features, fit, sample, complete, embed, evaluate, compare):
    app.command()(command)


_OPTIONS = {"overwrite=True": "--overwrite"}
"""Arguments, as the library's messages name them -> options."""


def _in_options(problem: UsageProblem) -> str:
    """What a problem says, in the command line's words."""
    message = str(problem)
    for argument, option in _OPTIONS.items():
        message = message.replace(argument, option)
    return message


def main() -> None:
    """Run the command line; problems end it with one message and their exit code."""
    try:
        app()
    except UsageProblem as problem:
        typer.echo(f"Error: {_in_options(problem)}", err=True)
        sys.exit(2)
    except DataProblem as problem:
        typer.echo(f"Error: {problem}", err=True)
        sys.exit(3)
