"""The one file that knows Lightning's trainer."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import pandas as pd
import torch
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch.utilities import rank_zero_only
from sklearn.exceptions import ConvergenceWarning

from amodal.errors import UsageError
from amodal.interrupts import handling, interruption
from amodal.methods import Stage
from amodal.models import GenerativeModel
from amodal.nn import precision
from amodal.table import Store
from amodal.training.allocation import keeping_freed_memory
from amodal.training.budget import Budget, Span
from amodal.training.callbacks import (
    AtomicCheckpointIO,
    BestWeights,
    Checkpoints,
    History,
    ProgressBar,
    stage_reached,
)
from amodal.training.config import TrainerConfig
from amodal.training.data import StoredRows
from amodal.training.module import TrainingModule
from amodal.training.recovery import Recovery
from amodal.training.stopping import Interrupted, Stopping
from amodal.training.threads import ThreadTuner

_LOOKED_AT = 10_000
"""Rows, at most, that a stage ends with a look at."""

_STEPS_LEFT = 3
"""A stage is left out where the time is shorter than so many steps: it takes as much to prepare, validate and end."""

_MORE_TIME = "give more time, or fewer rows or columns, for better draws."


@dataclass(frozen=True)
class FitResult:
    """What came of it.

    Attributes:
        history: one row an epoch.
        is_global_zero: whether this process is the one that writes the model.
    """

    history: pd.DataFrame
    is_global_zero: bool


def train(
    model: GenerativeModel,
    stages: Sequence[Stage],
    store: Store,
    budget: Budget,
    plan: TrainerConfig,
    *,
    checkpoint: Path | None = None,
    resume: bool = False,
) -> FitResult:
    """Train a model in place, stage after stage, and leave it with the weights of each stage's best epoch.

    Args:
        model: what is trained.
        stages: how.
        store: the rows, of which a tenth is held out.
        budget: how long, over all stages.
        plan: the rest.
        checkpoint: where the state goes as training runs; None writes none.
        resume: go on from that checkpoint, where it is there.

    Raises:
        KeyboardInterrupt: after Ctrl-C, SIGTERM or SIGHUP; the checkpoint is whole.
        UsageError: the device or precision is not there.
    """
    before = stage_reached(checkpoint) if resume and checkpoint else None
    stages = [stage for stage in stages if any(True for _ in stage.parameters(model))]
    for stage in stages:
        stage.objective.check(model)
    history, epochs, step_seconds = History(budget), 0.0, 0.0
    with _quiet(), keeping_freed_memory(), ProgressBar(budget, len(stages)) as bar:
        shared = [history, bar, *([ThreadTuner(budget.clock)] if budget.seconds else [])]
        for number, stage in enumerate(stages, start=1):
            if before and number < before["number"]:
                continue
            if before:
                start, end, epochs = before["start"], before["end"], before["epochs"]
            else:
                start = budget.fraction(epochs)
                # Of what is left, so that reading the table takes from all stages alike. The last stage has all of it,
                # also where those that were to follow train nothing here.
                end = start + (1.0 - start) * (stage.budget_fraction if number < len(stages) else 1.0)
                stage.on_start(model)
            name = f"stage {number} of {len(stages)}" if len(stages) > 1 else "training"
            if not before and budget.expired(reserve=_STEPS_LEFT * step_seconds):
                _warn(f"The time limit left nothing for {name}: {_MORE_TIME}")
                continue
            bar.stage = number
            done, stopping = _train_stage(
                model,
                stage,
                store,
                Span(budget, start, end, epochs),
                plan,
                shared,
                Checkpoints(checkpoint, {"number": number, "start": start, "end": end, "epochs": epochs})
                if checkpoint
                else None,
                resume=before is not None,
            )
            step_seconds = stopping.step_seconds
            if stopping.late and done < 1.0:
                _warn(f"The time limit ended {name} in its first epoch, at {done:.0%} of it: {_MORE_TIME}")
            epochs += done
            before = None
    return FitResult(history.frame(), global_rank() == 0)


def _warn(message: str) -> None:
    warnings.warn(message, ConvergenceWarning, stacklevel=2)


def _train_stage(
    model: GenerativeModel,
    stage: Stage,
    store: Store,
    span: Span,
    plan: TrainerConfig,
    shared: Sequence[pl.Callback],
    checkpoints: Checkpoints | None,
    *,
    resume: bool,
) -> tuple[float, Stopping]:
    """Train one stage; gives its epochs, of which the last may be a part of one, and what ended it."""
    model.train().requires_grad_(False)
    for parameter in stage.parameters(model):
        parameter.requires_grad_()
    rows = StoredRows(store, plan.batch_size, plan.seed)
    module = TrainingModule(model, stage, rows, span, seed=plan.seed, learning_rate=plan.learning_rate)
    best = BestWeights(plan.patience, stage.parameter_groups(model))
    stopping = Stopping(span, last_look=stage.on_end is not None)
    callbacks = [
        stopping,
        Recovery(span.budget.clock),
        best,
        *shared,
        *([checkpoints] if checkpoints else []),
    ]
    trainer = _trainer(plan, span.epochs, callbacks)
    with module.kept, _interruptible(stopping):
        trainer.fit(
            module,
            datamodule=rows,
            ckpt_path=str(checkpoints.path) if resume and checkpoints else None,
            weights_only=True if resume else None,
        )
    if best.weights:
        model.load_state_dict(best.weights, strict=False)
    model.requires_grad_()
    if stage.on_end is not None:
        stage.on_end(model.eval(), rows.some(_LOOKED_AT, model.device, lambda: span.seconds_left() <= 0.0))
    return module.epochs_done(), stopping


def _trainer(plan: TrainerConfig, epochs: int, callbacks: list[pl.Callback]) -> pl.Trainer:
    accelerator = {"cuda": "gpu"}.get(plan.device, plan.device)
    options: dict[str, Any] = {
        "accelerator": accelerator,
        "devices": plan.devices,
        "num_nodes": plan.num_nodes,
        "strategy": plan.strategy,
        "precision": _precision(plan),
        "max_epochs": epochs,
    }
    try:
        return pl.Trainer(
            **options,
            callbacks=callbacks,
            plugins=[AtomicCheckpointIO()],
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            use_distributed_sampler=False,
            num_sanity_val_steps=0,
        )
    except (ValueError, RuntimeError, MisconfigurationException) as problem:
        raise UsageError(f"Training cannot run so: {problem}") from problem


def _precision(plan: TrainerConfig) -> Any:
    if plan.precision != "auto":
        return plan.precision
    device = plan.device
    if device == "auto":
        accelerator = torch.accelerator.current_accelerator()
        device = accelerator.type if accelerator else "cpu"
    return "bf16-mixed" if precision.has_fast_bfloat16(torch.device(device)) else "32-true"


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep Lightning from telling users about choices that are not theirs."""
    loggers = [logging.getLogger(name) for name in ("lightning.pytorch", "lightning.fabric")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            for module in (r"lightning\..*", r"torch\.utils\.data\..*", r"torch\.optim\.lr_scheduler"):
                warnings.filterwarnings("ignore", module=module)
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


@contextmanager
def _interruptible(stopping: Stopping) -> Iterator[None]:
    """Turn Ctrl-C, SIGTERM and SIGHUP to a stop between two steps; a second one stops at once."""
    asked: list[int] = []

    def stop(number: int) -> None:
        asked.append(number)
        stopping.interrupted = True

    try:
        with handling(stop):
            yield
    except (Interrupted, SystemExit):
        # Lightning ends the process itself, with a code of its own, where a second one stops it at once.
        if not asked:
            raise
        raise interruption(asked[0]) from None


def global_rank() -> int:
    """This process's number among those that train together, 0 for the first or only one."""
    return int(rank_zero_only.rank or 0)  # type: ignore[attr-defined]
