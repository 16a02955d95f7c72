"""The work folder of a run of `fit`: its identity, the prepared table and the last checkpoint, to resume from."""

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
    is_locked,
    remove_output_folder,
    replacing_file,
    temporary_folder,
)
from amodal.modalities import Modality
from amodal.table import BadCellPolicy, Store, Table, prepare_store
from amodal.training import global_rank

__all__ = ["RunFolder", "default_work_folder", "differences", "notify", "run_folder", "wait_for_same_run"]

_PATIENCE = 5.0  # seconds until another run has written what it is of
_STORE, _RECORD, _CHECKPOINT = "store", "fit.json", "last.ckpt"


class RunFolder:
    """The work folder of one run.

    Args:
        path: of the folder.
        is_temporary: removed with the run, which then writes no checkpoints.

    Attributes:
        is_begun: an earlier run left the folder behind, unfinished.
        checkpoint: file of the training state; None to write none.
    """

    def __init__(self, path: Path, *, is_temporary: bool) -> None:
        self.path = path
        self.is_begun = path.is_dir()
        self.checkpoint = None if is_temporary else path / _CHECKPOINT

    def is_resumable(self, identity: Mapping[str, Any]) -> bool:
        """True when an earlier run with this identity has prepared its table here.

        Raises:
            UsageError: the earlier run has another identity.
        """
        path = self.path / _RECORD
        if not path.is_file():
            return False
        try:
            before = dict(json.loads(path.read_text(encoding="utf-8")))
        except (ValueError, TypeError):
            notify(f"{path} is damaged: the run is begun anew.")
            return False
        changed = differences(before, identity)
        if changed:
            raise UsageError(
                f"The run to go on with in {self.path} differs in {changed}: leave out resume=True to start anew."
            )
        return True

    def store(
        self,
        identity: Mapping[str, Any],
        table: Table,
        modalities: Mapping[str, Modality],
        bad_cells: BadCellPolicy,
        *,
        resume: bool,
        check: Callable[[], None],
    ) -> Store:
        """The prepared table: written by the first process, opened by the others and by a resumed run.

        From here on the folder holds an unfinished run, until it is removed in one step. See `prepare_store` for
        `check`.
        """
        store_path, record = self.path / _STORE, self.path / _RECORD
        if global_rank():
            while not record.is_file():
                time.sleep(0.5)
            return Store.open(store_path)
        begin_output_folder(self.path, "checkpoint", [f"{_STORE}/", _RECORD, _CHECKPOINT])
        if resume:
            try:
                return Store.open(store_path)
            except DataError as problem:
                notify(f"The table is prepared anew: {problem}")
        else:
            record.unlink(missing_ok=True)
            (self.path / _CHECKPOINT).unlink(missing_ok=True)
        store = prepare_store(table, modalities, store_path, bad_cells=bad_cells, check=check)
        with replacing_file(record) as staging:
            staging.write_text(json.dumps(identity), encoding="utf-8")
        return store


def default_work_folder(output: Path) -> Path:
    """The work folder of a run that writes its model to `output`."""
    return output.with_name(f"{output.name}.training")


def wait_for_same_run(output: Path, identity: Mapping[str, Any]) -> bool:
    """Wait for another run that writes an output, if it is of the same data and settings.

    Args:
        output: folder of the model.
        identity: of this run; see `RunFolder.is_resumable`.

    Returns:
        True once the other run has ended; False where it is of other data or settings, or does not say of which.
    """
    work = default_work_folder(output)
    record, is_same, started = work / _RECORD, False, time.monotonic()
    while is_locked(work):
        if not is_same:
            try:
                other = dict(json.loads(record.read_text(encoding="utf-8")))
            except (OSError, ValueError, TypeError):
                if time.monotonic() - started > _PATIENCE:
                    return False
            else:
                if differences(other, identity):
                    return False
                is_same = True
                notify(f"Another run fits {output} to the same data, with the same settings: waiting for it.")
        time.sleep(0.2)
    return True


@contextmanager
def run_folder(work: Path | None, output: Path | None) -> Iterator[RunFolder]:
    """Lock the work folder of a run, and remove it after a successful one.

    Args:
        work: the folder; `default_work_folder(output)` by default, and a temporary one without output. A folder that
            is named is kept.
        output: folder of the run's model.

    Raises:
        UsageError: another run has the folder, or it holds something else.
    """
    folder = default_work_folder(output) if output is not None and work is None else work
    if folder is None:
        with temporary_folder() as temporary:
            yield RunFolder(temporary, is_temporary=True)
        return
    if global_rank():
        yield RunFolder(folder, is_temporary=False)
        return
    with ExitStack() as locks:
        # A run with the same output and another work folder is refused too.
        for place in [folder] if output is None else [default_work_folder(output), folder]:
            locks.enter_context(exclusive_lock(place))
        check_output_folder(folder, "checkpoint", resume=True)
        run = RunFolder(folder, is_temporary=False)
        try:
            yield run
        except Exception:
            if not run.is_begun and not (folder / _RECORD).exists():
                remove_output_folder(folder)
                with suppress(OSError):  # it does not exist, or has no manifest yet
                    folder.rmdir()
            raise
        if work is None:
            remove_output_folder(folder)


def differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """The entries of `now` that differ from `before`, in words; empty if none do."""
    changed = [name for name, value in now.items() if before.get(name) != value]
    return ", ".join(
        f"{name} ({_shortened(before.get(name))}, now {_shortened(now[name])})" for name in changed
    )


def _shortened(value: object) -> str:
    text = "none" if value in (None, {}) else str(value)
    return text if len(text) <= 40 else f"{text[:12]}…"


def notify(message: str) -> None:
    """Print a notice on stderr."""
    print(message, file=sys.stderr, flush=True)
