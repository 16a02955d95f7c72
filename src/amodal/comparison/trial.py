"""One trial of a comparison: a method fitted and evaluated, with its costs."""

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
OS_ERROR_EXIT = 5
NUM_SAMPLES = 8
"""Generated rows kept for the page."""


@dataclass(frozen=True)
class Trial:
    """Input of a worker process.

    Attributes:
        settings: arguments of `TableModel`, the method among them.
        split: training and held-out rows.
        target: column to predict from all others in the evaluation.
        folder: empty output folder.
    """

    settings: Mapping[str, Any]
    split: Split
    target: str | None
    folder: Path


class Outcome(BaseModel):
    """Costs of a trial, or the reason of its failure; saved as outcome.json.

    Attributes:
        method: name of the method.
        seconds: wall time of fitting.
        memory: peak main memory of the process during fitting, in bytes, its libraries included.
        parameters: number of weights of the model.
        epochs: number of epochs trained.
        failure: reason why there is no model or no report; empty on success.
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
    """Run the pickled trial on stdin; an exception becomes the outcome's failure, with exit code 1.

    The process exits when stdin closes, and so with its parent. An `OSError` is not the method's failure: the exit
    code is then `OS_ERROR_EXIT`, and the last line of stdout holds errno and file name as JSON.
    """
    # Pickled by the parent process a moment ago.
    trial: Trial = pickle.load(sys.stdin.buffer)  # noqa: S301
    Thread(target=_exit_with_parent, daemon=True).start()

    def fail(reason: str) -> None:
        _write(trial.folder, Outcome(method=trial.settings["method"], failure=reason))

    def on_crash(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        lines = traceback.format_exception(kind, error, trace)
        (trial.folder / TRACEBACK).write_text("".join(lines), encoding="utf-8")
        fail("".join(traceback.format_exception_only(error)).strip())

    sys.excepthook = on_crash
    try:
        run(trial)
    except (UsageError, DataError) as problem:
        fail(str(problem))
        sys.exit(1)
    except OSError as problem:
        print(json.dumps([problem.errno or errno.EIO, problem.filename]), flush=True)
        sys.exit(OS_ERROR_EXIT)


def _exit_with_parent() -> None:
    # Unbuffered: a thread that holds the buffer's lock at exit would block the interpreter's shutdown.
    while os.read(sys.stdin.fileno(), 1024):
        pass
    os._exit(1)


def run(trial: Trial) -> None:
    """Fit and evaluate a method; write the model, the report, some generated rows and, last, the outcome."""
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
        seed=model.fitted_.seed,
        bad_cells=model.bad_cells,
    )
    write_evaluation(evaluation, folder)
    write_table(model.sample(NUM_SAMPLES), folder / GENERATED, model.schema_.used)
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
    """Peak main memory of this process so far, in bytes; None where the system does not report it.

    Read from VmHWM on Linux, where `ru_maxrss` of a new process starts at its parent's memory.
    """
    status = Path("/proc/self/status")
    if status.is_file():
        lines = status.read_text(encoding="ascii", errors="replace").splitlines()
        fields = next((line.split() for line in lines if line.startswith("VmHWM:")), None)
        return int(fields[1]) * 1024 if fields else None
    if os.name == "nt":
        return None
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
