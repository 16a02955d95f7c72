"""Messages and exit codes of errors that a user can act on."""

from __future__ import annotations

import errno
import io
import os
import re
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import NoReturn

import typer
from typer.core import TyperGroup, TyperOption

from amodal.errors import DataError, EarlierFormat, UsageError
from amodal.files import explain_machine_error
from amodal.interrupts import Terminated

__all__ = ["exit_on_error", "in_options", "options", "tolerate_encodings"]

USAGE, DATA, MACHINE = 2, 3, 5
_SIGNAL_BASE = 128
_SIGPIPE = 13
_ARGUMENT = re.compile(r'\b(\w+)=(?:True|"([^"]*)"|\{"([^"]*)": "([^"]*)"\}|([A-Z]+))')
"""An argument and its value in a message of the library."""


@contextmanager
def exit_on_error(options: Mapping[str, str] | None = None) -> Iterator[None]:
    """Turn an error or a signal into one message on stderr and an exit code.

    Codes: 2 for wrong usage, 3 for a problem in the data, 5 for the machine (disk full, no permission, out of memory),
    and 128 plus its number for a signal (130 for Ctrl-C). A closed pipe on stdout ends quietly with SIGPIPE's code.

    Args:
        options: argument of the library -> option, for messages; see `in_options`.
    """
    options = options or {}
    try:
        try:
            yield
        finally:
            sys.stdout.flush()
    except UsageError as problem:
        _end(problem, f"Error: {in_options(str(problem), options)}", USAGE)
    except EarlierFormat as problem:
        _end(problem, f"Error: {_fit_again(problem, options)}", DATA)
    except DataError as problem:
        _end(problem, f"Error: {in_options(str(problem), options)}", DATA)
    except KeyboardInterrupt as problem:
        number = problem.number if isinstance(problem, Terminated) else signal.SIGINT
        _end(problem, "Interrupted.", _SIGNAL_BASE + number)
    except BrokenPipeError as problem:
        _end(problem, "", _SIGNAL_BASE + _SIGPIPE)
    except (OSError, MemoryError) as problem:
        _end(problem, f"Error: {explain_machine_error(problem)}", MACHINE)
    except RuntimeError as problem:
        # PyTorch's errors for main memory and for a graphics card's.
        if "can't allocate memory" not in str(problem) and type(problem).__name__ != "OutOfMemoryError":
            raise
        _end(problem, f"Error: {explain_machine_error(MemoryError())}", MACHINE)


def tolerate_encodings() -> None:
    """Let output and arguments pass in a locale or pipe that is not UTF-8.

    Letters that a stream cannot write become escapes, as in Python's own messages. Arguments of a locale without
    letters (C) are UTF-8's, as the terminal sent them.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    sys.argv[1:] = [_decoded(argument) for argument in sys.argv[1:]]


def _decoded(argument: str) -> str:
    try:
        return os.fsencode(argument).decode("utf-8") if not argument.isprintable() else argument
    except UnicodeError:
        return argument


def options(group: TyperGroup) -> dict[str, str]:
    """Argument of the library -> option, of all commands of a group, whose parameters have the arguments' names."""
    return {
        str(option.name): max(option.opts, key=len)
        for command in group.commands.values()
        for option in command.params
        if isinstance(option, TyperOption)
    }


def in_options(message: str, options: Mapping[str, str]) -> str:
    """A message of the library with the command line's options in place of Python's arguments.

    Args:
        message: arguments are written NAME=True, NAME="VALUE", NAME={"KEY": "VALUE"} or NAME=PLACEHOLDER.
        options: argument -> option; other arguments are left as they are.

    Example:
        >>> in_options('Pass bad_cells="missing", or types={"x": "text"}.', {"bad_cells": "--bad-cells"})
        'Pass --bad-cells missing, or types={"x": "text"}.'
    """

    def option(found: re.Match[str]) -> str:
        name, word, key, entry, placeholder = found.groups()
        if name not in options:
            return found[0]
        value = f"{key}={entry}" if key else word or placeholder
        return f"{options[name]} {value}" if value else options[name]

    return _ARGUMENT.sub(option, message)


def _fit_again(problem: EarlierFormat, options: Mapping[str, str]) -> str:
    given = [
        f"{options[name]} {value}" if name in options else f"--set {name}={value}"
        for name, value in problem.arguments.items()
    ]
    command = " ".join(["amodal fit DATA -o", str(problem.folder), "--overwrite", *given])
    return f"{problem.problem}: fit it again, by `{command}`."


def _end(problem: BaseException, message: str, code: int) -> NoReturn:
    if message:
        with suppress(OSError):  # stderr may be full or closed as well; the code remains
            typer.echo(" ".join([message, *getattr(problem, "__notes__", [])]), err=True)
    _drop_unwritable_output()
    raise SystemExit(code)


def _drop_unwritable_output() -> None:
    """Drop what stdout cannot write, or Python fails on it at exit, with a code of its own."""
    try:
        sys.stdout.flush()
    except (OSError, ValueError) as problem:
        if isinstance(problem, OSError) and problem.errno == errno.EBADF:
            return
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
        os.close(null)
