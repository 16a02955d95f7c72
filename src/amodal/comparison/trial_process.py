"""A trial in a process of its own."""

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

from amodal.comparison.trial import OUTCOME, REFUSED, TRACEBACK, Outcome, Trial
from amodal.files import output_folder

PROCESS = [sys.executable, "-m", "amodal.comparison"]
_OUT_OF_MEMORY = 9  # SIGKILL: what systems end processes with when memory runs out


def run_in_subprocess(trial: Trial) -> Outcome:
    """Do a trial; `trial.folder` is there whole and with an outcome afterwards, be it a failure.

    It is done in a folder beside, which a later attempt clears away where this one is interrupted. The trial's process
    ends with this one, as its stdin does.

    Raises:
        OSError: the machine refused something, such as room on a disk, which is not the method's failure.
    """
    with output_folder(trial.folder, "trial", overwrite=True) as beside:
        code = _run(replace(trial, folder=beside))
        outcome = read_outcome(beside)
        if outcome is None or (code and not outcome.failure):
            outcome = Outcome(method=trial.settings["method"], failure=_ended(code))
        if outcome.failure:
            _keep_failure(beside, outcome)
    return outcome


def _run(trial: Trial) -> int:
    """Do a trial in a process that ends when this one does, however that is; gives its exit code."""
    with subprocess.Popen(PROCESS, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:  # noqa: S603
        told, said = process.stdin, process.stdout
        if told is None or said is None:
            raise RuntimeError("a process was started without its pipes")
        try:
            with suppress(BrokenPipeError):  # it has ended already
                told.write(pickle.dumps(trial))
                told.flush()
            # What it is told through stays open: its end is what tells it that this process is gone.
            refusal = said.read()
            code = process.wait()
        finally:
            process.kill()
            with suppress(BrokenPipeError):
                told.close()
    if code == REFUSED:
        number, name = json.loads(refusal.splitlines()[-1])
        raise OSError(number, os.strerror(number), name)
    return code


def read_outcome(folder: Path) -> Outcome | None:
    """A finished trial's outcome; None where there is none that can be read."""
    try:
        return Outcome.model_validate_json((folder / OUTCOME).read_bytes())
    except (OSError, ValidationError):
        return None


def _ended(code: int) -> str:
    if code == -_OUT_OF_MEMORY:
        return "the system killed it, most often because memory ran out"
    if code < 0:
        return f"it ended by {signal.Signals(-code).name}"
    return f"its process ended with {code} and no outcome"


def _keep_failure(folder: Path, outcome: Outcome) -> None:
    """Leave nothing of a failure but its reason: half a model is none."""
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name != TRACEBACK:
            path.unlink()
    (folder / OUTCOME).write_text(outcome.model_dump_json(indent=1) + "\n", encoding="utf-8")
