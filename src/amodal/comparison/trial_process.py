"""Trials in subprocesses."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from pydantic import ValidationError

from amodal.comparison.trial import OS_ERROR_EXIT, OUTCOME, TRACEBACK, Outcome, Trial
from amodal.files import output_folder

COMMAND = [sys.executable, "-m", "amodal.comparison"]
_SIGKILL = 9  # sent by the system when memory runs out; `signal` lacks the name on Windows


def run_in_subprocess(trial: Trial) -> Outcome:
    """Run a trial in a worker process; afterwards `trial.folder` holds its complete output and outcome.

    The worker writes to a temporary folder that replaces `trial.folder` at the end, and exits with this process.

    Raises:
        OSError: an error of the machine, such as a full disk, which is not the method's failure.
    """
    with output_folder(trial.folder, "trial", overwrite=True) as new:
        code = _run_worker(replace(trial, folder=new))
        outcome = read_outcome(new)
        if outcome is None or (code and not outcome.failure):
            outcome = Outcome(method=trial.settings["method"], failure=_exit_reason(code))
        if outcome.failure:
            _keep_failure(new, outcome)
    return outcome


def _run_worker(trial: Trial) -> int:
    """Exit code of a worker process that runs the trial."""
    with subprocess.Popen(COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:  # noqa: S603
        stdin, stdout = process.stdin, process.stdout
        if stdin is None or stdout is None:
            raise RuntimeError("a process was started without its pipes")
        try:
            with suppress(BrokenPipeError):  # the worker has exited already
                stdin.write(pickle.dumps(trial))
                stdin.flush()
            # stdin stays open: the worker exits when it closes.
            output = stdout.read()
            code = process.wait()
        finally:
            process.kill()
            with suppress(BrokenPipeError):
                stdin.close()
    if code == OS_ERROR_EXIT:
        number, name = json.loads(output.splitlines()[-1])
        raise OSError(number, os.strerror(number), name)
    return code


def read_outcome(folder: Path) -> Outcome | None:
    """Outcome saved in a trial's folder; None where none can be read."""
    try:
        return Outcome.model_validate_json((folder / OUTCOME).read_bytes())
    except (OSError, ValidationError):
        return None


def _exit_reason(code: int) -> str:
    if code == -_SIGKILL:
        return "the system killed it, most often because memory ran out"
    if code < 0:
        return f"it ended by {signal.Signals(-code).name}"
    return f"its process ended with {code} and no outcome"


def _keep_failure(folder: Path, outcome: Outcome) -> None:
    """Remove everything but the outcome and the traceback of a failed trial."""
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name != TRACEBACK:
            path.unlink()
    (folder / OUTCOME).write_text(outcome.model_dump_json(indent=1) + "\n", encoding="utf-8")
