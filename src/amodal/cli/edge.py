"""How every command ends: a sentence and an exit code, whatever went wrong that a user can mend."""

from __future__ import annotations

import errno
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import NoReturn

import typer

from amodal.errors import DataError, UsageError
from amodal.files import explain_machine_error
from amodal.interrupts import Terminated

__all__ = ["endings"]

USAGE, DATA, MACHINE = 2, 3, 5
_OF_SIGNALS = 128
_SIGPIPE = 13
_OPTIONS = {"overwrite=True": "--overwrite", "resume=True": "--resume"}
"""Arguments, as the library's messages name them -> options."""


@contextmanager
def endings() -> Iterator[None]:
    """Turn problems, the machine's refusals and signals into one message on stderr and an exit code.

    Codes: 2 for a wrong call, 3 for a problem in the data, 5 for the machine, and 128 and its number for a signal, as
    shells count them (130 for Ctrl-C). An output that nobody reads to its end stops quietly with that of SIGPIPE.
    """
    try:
        try:
            yield
        finally:
            sys.stdout.flush()
    except UsageError as problem:
        _end(problem, f"Error: {_in_options(str(problem))}", USAGE)
    except DataError as problem:
        _end(problem, f"Error: {problem}", DATA)
    except KeyboardInterrupt as problem:
        number = problem.number if isinstance(problem, Terminated) else signal.SIGINT
        _end(problem, "Interrupted.", _OF_SIGNALS + number)
    except BrokenPipeError as problem:
        _end(problem, "", _OF_SIGNALS + _SIGPIPE)
    except OSError as problem:
        _end(problem, f"Error: {explain_machine_error(problem)}", MACHINE)
    except MemoryError as problem:
        _end(problem, f"Error: {explain_machine_error(problem)}", MACHINE)
    except RuntimeError as problem:
        # PyTorch says it so, of main memory and of a graphics card's.
        if "can't allocate memory" not in str(problem) and type(problem).__name__ != "OutOfMemoryError":
            raise
        _end(problem, f"Error: {explain_machine_error(MemoryError())}", MACHINE)


def _in_options(message: str) -> str:
    """What the library says, in the command line's words."""
    for argument, option in _OPTIONS.items():
        message = message.replace(f"pass {argument}", option).replace(argument, option)
    return message


def _end(problem: BaseException, message: str, code: int) -> NoReturn:
    if message:
        with suppress(OSError):  # stderr may be full or gone as well, and the code still says it
            typer.echo(" ".join([message, *getattr(problem, "__notes__", [])]), err=True)
    _drop_unwritable_output()
    raise SystemExit(code)


def _drop_unwritable_output() -> None:
    """Let go of what stdout holds and cannot write, or Python complains of it as it ends, with a code of its own."""
    try:
        sys.stdout.flush()
    except (OSError, ValueError) as problem:
        if isinstance(problem, OSError) and problem.errno == errno.EBADF:
            return
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
