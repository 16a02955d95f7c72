"""One run of `TableModel.fit`: read the table, prepare it, train the method's model, write it."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from amodal.answers.holes import count_patterns
from amodal.answers.rules import check_rules
from amodal.errors import DataError, OutputInUse, UsageError
from amodal.files import check_output_folder
from amodal.methods import method_named
from amodal.modalities import MODALITIES, Modality
from amodal.persistence import FittedModel, holds_model, read_model, write_model
from amodal.run_folder import differences, notify, run_folder, wait_for_same_run
from amodal.settings import Values, configure, flatten, settings_of
from amodal.table import (
    ReadOptions,
    Schema,
    Store,
    Table,
    check_columns,
    fingerprint,
    infer_schema,
    mark_missing,
    read_table,
)
from amodal.training import Budget, TrainerConfig, global_rank, parse_duration, train

_one_fit = threading.RLock()
_HARDWARE = ("devices", "num_nodes", "strategy")
"""Fields of `TrainerConfig` that do not change the model."""


@dataclass(frozen=True)
class FitRun:
    """One run; calling it gives the fitted model.

    Attributes:
        data: the table; see `TableModel.fit`, also for the folders and flags.
        arguments: of `TableModel`, by name, without the settings.
        settings: of the method.
        budget: epochs and time of the whole run.
        media_root: folder of the table's paths; the table's own by default.
        work: folder of the prepared table and checkpoints.
        output: folder of the model.
        overwrite: replace the model in `output`.
        resume: go on from what is in `work`.
        modalities: the column types that are tried.
        reading: keywords of `read_table`.
    """

    data: Any
    arguments: Mapping[str, Any]
    settings: Values
    budget: Budget
    media_root: Path | None = None
    work: Path | None = None
    output: Path | None = None
    overwrite: bool = False
    resume: bool = False
    modalities: tuple[type[Modality], ...] = MODALITIES
    reading: ReadOptions = field(default_factory=ReadOptions)

    def __call__(self) -> FittedModel:
        """Fit.

        Raises:
            UsageError: `work` or `output` hold something else, or the run to resume was of other data or settings.
            DataError: the table cannot be used.
        """
        if self.overwrite and self.resume:
            raise UsageError("overwrite=True starts anew and resume=True goes on: give one of them.")
        started = time.time() - (self.budget.clock() - self.budget.started)
        try:
            return self._run()
        except UsageError as taken:
            if self.output is None or self.work is not None or self.resume or global_rank():
                raise
            if isinstance(taken, OutputInUse):
                common = self._read()[-1] | {"amodal": version("amodal")}
                if not wait_for_same_run(self.output, common | _training(self.arguments, self.settings)):
                    raise
            elif not (holds_model(self.output) and self.output.stat().st_mtime >= started):
                raise
        # The other run's model, or, where it was interrupted, the rest of its run.
        return replace(self, overwrite=False, resume=True)()

    def _read(self) -> tuple[Table, Schema, str, dict[str, Any]]:
        """The table, its schema, its fingerprint, and the identity of this run but for the version."""
        table = read_table(self.data, self.media_root, **self.reading)
        codes = self.arguments["missing"] or {}
        check_columns(codes, table)
        table = mark_missing(table, codes)
        self.budget.check("the table was read")
        schema = infer_schema(table, self.modalities, self.arguments["types"], self.arguments["options"])
        schema = schema.with_labels(table.labels)
        data = fingerprint(table, schema.used)
        return table, schema, data, _identity(self.arguments, self.settings, data)

    def _run(self) -> FittedModel:
        is_first = global_rank() == 0
        if is_first:
            self._check_folders()
        with run_folder(self.work, self.output) as run:
            if is_first:
                # Another run may have written there until its lock was free.
                self._check_folders()
            table, schema, data, common = self._read()
            modalities = schema.used
            check_rules(self.arguments["rules"] or (), table, modalities)
            identity = common | {"amodal": version("amodal")}
            is_resumed = self.resume and run.is_resumable(identity)
            if self.resume and is_first and not run.is_begun and (finished := self._finished(common)):
                return finished
            store = run.store(
                identity | _training(self.arguments, self.settings),
                table,
                modalities,
                self.arguments["bad_cells"],
                resume=is_resumed,
                check=lambda: self.budget.check("the table was prepared"),
            )
            fitted = self._train(store, schema, data, checkpoint=run.checkpoint)
            if self.output is not None and is_first:
                write_model(fitted, self.output, overwrite=self.overwrite or self.resume)
        return fitted

    def _check_folders(self) -> None:
        inputs = [self.data, self.media_root]
        if self.work is not None:
            check_output_folder(self.work, "checkpoint", resume=True, inputs=inputs)
        if self.output is not None:
            check_output_folder(self.output, "model", overwrite=self.overwrite or self.resume, inputs=inputs)

    def _train(self, store: Store, schema: Schema, data: str, *, checkpoint: Path | None) -> FittedModel:
        # PyTorch's generator of random numbers belongs to the process: fits in several threads would share it.
        with _one_fit:
            return self._train_alone(store, schema, data, checkpoint=checkpoint)

    def _train_alone(
        self, store: Store, schema: Schema, data: str, *, checkpoint: Path | None
    ) -> FittedModel:
        method = configure(method_named(self.arguments["method"]), self.settings)
        seed = self.arguments["random_state"]
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            model = method.model(schema.used)
            config = TrainerConfig(seed=seed, device=self.arguments["device"], **self.settings["trainer"])
            history = train(
                model, method.stages, store, self.budget, config, checkpoint=checkpoint, resume=self.resume
            ).history
        return FittedModel(
            model=model.cpu().eval(),
            arguments={name: value for name, value in self.arguments.items() if name != "device"},
            settings=self.settings,
            schema=schema,
            history=history,
            rows=len(store),
            fingerprint=data,
            patterns=count_patterns(store.present),
            bad_cells=store.bad_cells,
        )

    def _finished(self, identity: dict[str, Any]) -> FittedModel | None:
        """The model in `output` that the run to resume has already finished; None without one.

        Raises:
            UsageError: it was fitted to other data or with other settings, and no run is left to resume.
        """
        if self.output is None or not holds_model(self.output):
            return None
        try:
            found = read_model(self.output, self.modalities)
        except DataError as problem:
            notify(f"The model is fitted anew: {problem}")
            return None
        before = _identity(found.arguments, found.settings, found.fingerprint)
        changed = differences(
            before | _training(found.arguments, found.settings),
            identity | _training(self.arguments, self.settings),
        )
        if changed:
            raise UsageError(
                f"The model in {self.output} is finished, so that there is nothing to go on from, and differs in "
                f"{changed}: give another path, or pass overwrite=True to fit it anew."
            )
        notify(f"{self.output} is finished: it was fitted to the same data, with the same settings.")
        return found


def _renew_lock() -> None:
    global _one_fit
    _one_fit = threading.RLock()  # another thread of the parent may hold the old one


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_lock)


def _identity(arguments: Mapping[str, Any], settings: Values, data: str) -> dict[str, Any]:
    """The values in which a run and the one that it resumes agree."""
    method = method_named(arguments["method"])
    names = settings_of(method)
    return {"method": method.name, "seed": arguments["random_state"], "data": data} | {
        name: value for name, value in flatten(method, settings).items() if names[name].owner != "trainer"
    }


def _training(arguments: Mapping[str, Any], settings: Values) -> dict[str, Any]:
    """Further values in which two runs that give the same model agree."""
    trainer = {name: value for name, value in settings["trainer"].items() if name not in _HARDWARE}
    return {"epochs": arguments["epochs"], "time_limit": parse_duration(arguments["time_limit"])} | trainer
