"""The folder of a run of `fit`: what it is of, the prepared table and the last checkpoint, so that it can go on."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from amodal.errors import DataError, UsageError
from amodal.files import (
    begin_output_folder,
    check_output_folder,
    exclusive_lock,
    remove_output_folder,
    replacing_file,
    temporary_folder,
)
from amodal.modalities import Modality
from amodal.table import BadCellPolicy, Store, Table, prepare_store
from amodal.training import global_rank

__all__ = ["RunFolder", "differences", "run_folder", "say", "work_beside"]

_STORE, _RECORD, _CHECKPOINT = "store", "fit.json", "last.ckpt"


class RunFolder:
    """A run's folder.

    Args:
        path: where it is.
        kept: whether it outlives the run, which writes checkpoints only then.

    Attributes:
        begun: whether a run was begun there before, and did not come to its end.
        checkpoint: where the state goes as training runs; None where it goes nowhere.
    """

    def __init__(self, path: Path, *, kept: bool) -> None:
        self.path = path
        self.begun = path.is_dir()
        self.checkpoint = path / _CHECKPOINT if kept else None

    def can_go_on(self, state: Mapping[str, Any]) -> bool:
        """Whether the run that was begun there came as far as to have prepared its table.

        Raises:
            UsageError: it was of something else.
        """
        path = self.path / _RECORD
        if not path.is_file():
            return False
        try:
            before = dict(json.loads(path.read_text(encoding="utf-8")))
        except (ValueError, TypeError):
            say(f"{path} is damaged: the run is begun anew.")
            return False
        changed = differences(before, state)
        if changed:
            raise UsageError(
                f"The run to go on with in {self.path} differs in {changed}: leave out resume=True to start anew."
            )
        return True

    def store(
        self,
        state: Mapping[str, Any],
        table: Table,
        modalities: Mapping[str, Modality],
        bad_cells: BadCellPolicy,
        *,
        go_on: bool,
        check: Callable[[], None],
    ) -> Store:
        """The prepared table: made by the first process, opened by the others and by a run that goes on.

        From here on the folder says that a run was begun, until it is removed in one step. See `prepare_store` for
        `check`.
        """
        place, record = self.path / _STORE, self.path / _RECORD
        if global_rank():
            while not record.is_file():
                time.sleep(0.5)
            return Store.open(place)
        begin_output_folder(self.path, "checkpoint", [f"{_STORE}/", _RECORD, _CHECKPOINT])
        if go_on:
            try:
                return Store.open(place)
            except DataError as problem:
                say(f"The table is prepared anew: {problem}")
        else:
            record.unlink(missing_ok=True)
            (self.path / _CHECKPOINT).unlink(missing_ok=True)
        store = prepare_store(table, modalities, place, bad_cells=bad_cells, check=check)
        with replacing_file(record) as beside:
            beside.write_text(json.dumps(state), encoding="utf-8")
        return store


def work_beside(output: Path) -> Path:
    """Where a run works whose model goes to `output`."""
    return output.with_name(f"{output.name}.training")


@contextmanager
def run_folder(work: Path | None, output: Path | None) -> Iterator[RunFolder]:
    """Give a run its folder, which no other run has at the same time.

    Args:
        work: the folder; beside `output` by default, and a temporary one where that is None too.
        output: where the run's model goes. When it is there, the folder beside it is removed.

    Raises:
        UsageError: another run works there, or it holds something else.
    """
    folder = work_beside(output) if output is not None and work is None else work
    if folder is None:
        with temporary_folder() as temporary:
            yield RunFolder(temporary, kept=False)
        return
    if global_rank():
        yield RunFolder(folder, kept=True)
        return
    with ExitStack() as locks:
        # A run with the same output and another folder of its own is one too many.
        for place in [folder] if output is None else [work_beside(output), folder]:
            locks.enter_context(exclusive_lock(place))
        check_output_folder(folder, "checkpoint", resume=True)
        run = RunFolder(folder, kept=True)
        try:
            yield run
        except Exception:
            if not run.begun and not (folder / _RECORD).exists():
                remove_output_folder(folder)
                with suppress(OSError):  # it was not there, or has not even a manifest
                    folder.rmdir()
            raise
        if work is None:
            remove_output_folder(folder)


def differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """What of `now` was otherwise before, in words; empty where nothing was."""
    changed = [name for name, value in now.items() if before.get(name) != value]
    return ", ".join(f"{name} ({_shown(before.get(name))}, now {_shown(now[name])})" for name in changed)


def _shown(value: object) -> str:
    text = "none" if value in (None, {}) else str(value)
    return text if len(text) <= 40 else f"{text[:12]}…"


def say(words: str) -> None:
    """Tell whoever waits for a run something that is no error."""
    print(words, file=sys.stderr, flush=True)
