"""One method of a comparison: fitted, judged, and what it cost."""

from __future__ import annotations

import errno
import json
import os
import pickle
import shutil
import sys
import time
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from types import TracebackType
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from amodal.comparison.split import Split
from amodal.errors import DataError, UsageError

MODEL, GENERATED, OUTCOME, TRACEBACK = "model", "generated", "outcome.json", "traceback.txt"
REFUSED = 5
SHOWN = 8
"""Generated rows that are kept to look at."""


@dataclass(frozen=True)
class Trial:
    """What is to be done.

    Attributes:
        settings: of `TableModel`, the method among them.
        split: the table.
        target: the column that evaluation asks the others about; None for none.
        folder: an empty folder for all that comes of it.
    """

    settings: Mapping[str, Any]
    split: Split
    target: str | None
    folder: Path


class Outcome(BaseModel):
    """What a method cost, or why it failed; outcome.json.

    Attributes:
        method: its name.
        seconds: that fitting took.
        memory: most bytes of main memory that the process held while it fitted, its libraries included.
        parameters: how many weights the model has.
        epochs: that it was trained for.
        failure: why there is no model or no report; empty when there are.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    format: Literal[1] = 1
    method: str
    seconds: float | None = None
    memory: int | None = None
    parameters: int | None = None
    epochs: int | None = None
    failure: str = ""


def main() -> None:
    """Do the trial that stdin holds; what stops it is the outcome's failure, and the process's end is 1.

    The process ends when stdin does, and so with its caller. What the machine refuses is no failure of the method: the
    end is then `REFUSED`, and the last line of stdout the number of the error and the file, in JSON.
    """
    # The parent pickled it a moment ago.
    trial: Trial = pickle.load(sys.stdin.buffer)  # noqa: S301
    Thread(target=_end_with_caller, daemon=True).start()

    def fail(reason: str) -> None:
        _write(trial.folder, Outcome(method=trial.settings["method"], failure=reason))

    def unforeseen(kind: type[BaseException], error: BaseException, where: TracebackType | None) -> None:
        lines = traceback.format_exception(kind, error, where)
        (trial.folder / TRACEBACK).write_text("".join(lines), encoding="utf-8")
        fail("".join(traceback.format_exception_only(error)).strip())

    sys.excepthook = unforeseen
    try:
        run(trial)
    except (UsageError, DataError) as problem:
        fail(str(problem))
        sys.exit(1)
    except OSError as problem:
        print(json.dumps([problem.errno or errno.EIO, problem.filename]), flush=True)
        sys.exit(REFUSED)


def _end_with_caller() -> None:
    # Past the buffer, whose lock a thread would hold when this process ends.
    while os.read(sys.stdin.fileno(), 1024):
        pass
    os._exit(1)


def run(trial: Trial) -> None:
    """Fit a method and judge it; writes the model, the report, some generated rows, and at last the outcome."""
    from amodal.estimator import TableModel
    from amodal.report import evaluate, write_evaluation
    from amodal.table import write_table

    folder, split = trial.folder, trial.split
    model = TableModel(**trial.settings)
    started = time.monotonic()
    model.fit(split.training.frame, media_root=split.training.root, work=folder / "work")
    seconds, memory = time.monotonic() - started, peak_memory()
    shutil.rmtree(folder / "work")
    model.save(folder / MODEL)
    evaluation = evaluate(
        model.fitted_,
        split.heldout,
        training=split.training,
        target=trial.target,
        seed=model.random_state,
        bad_cells=model.bad_cells,
    )
    write_evaluation(evaluation, folder)
    writers: dict[str, Any] = model.schema_.used
    write_table(model.sample(SHOWN), folder / GENERATED, writers)
    outcome = Outcome(
        method=model.method,
        seconds=round(seconds, 1),
        memory=memory,
        parameters=evaluation.report.provenance.parameters,
        epochs=len(model.history_),
    )
    _write(folder, outcome)


def _write(folder: Path, outcome: Outcome) -> None:
    (folder / OUTCOME).write_text(outcome.model_dump_json(indent=1) + "\n", encoding="utf-8")


def peak_memory() -> int | None:
    """Most bytes of main memory that this process has held so far; None where the system does not say.

    Linux's `ru_maxrss` of a new process begins with what its parent held, so that the larger the caller's table,
    the more every method would seem to take; VmHWM is of the process alone.
    """
    status = Path("/proc/self/status")
    if status.is_file():
        lines = status.read_text(encoding="ascii", errors="replace").splitlines()
        held = next((line.split() for line in lines if line.startswith("VmHWM:")), None)
        return int(held[1]) * 1024 if held else None
    if os.name == "nt":
        return None
    import resource

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024
