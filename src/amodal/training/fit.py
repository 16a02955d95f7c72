"""Training of a model, stage after stage."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import lightning.pytorch as pl
import pandas as pd
from lightning.pytorch.utilities import rank_zero_only
from sklearn.exceptions import ConvergenceWarning

from amodal.interrupts import handle_signals, interrupt_of
from amodal.methods import Stage
from amodal.models import GenerativeModel
from amodal.table import Store
from amodal.training.allocation import keeping_freed_memory
from amodal.training.best_weights import BestWeights
from amodal.training.budget import Budget, Span
from amodal.training.checkpoints import Checkpoints, stage_reached
from amodal.training.config import TrainerConfig
from amodal.training.data import StoredRows
from amodal.training.module import TrainingModule
from amodal.training.progress import History, ProgressBar
from amodal.training.recovery import Recovery
from amodal.training.stopping import Interrupted, StageEnd
from amodal.training.threads import ThreadTuner
from amodal.training.trainer import make_trainer, silenced

_ROWS_ON_END = 10_000
"""Training rows, at most, that `Stage.on_end` reads."""

_LEAST_STEPS = 3
"""A stage is skipped where the time left is less than so many steps: preparing and validating it takes as long."""

_MORE_TIME = "give more time, or fewer rows or columns, for better draws."


@dataclass(frozen=True)
class FitResult:
    """The outcome of training.

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
    config: TrainerConfig,
    *,
    checkpoint: Path | None = None,
    resume: bool = False,
) -> FitResult:
    """Train a model in place, stage after stage; it ends with the weights of each stage's best epoch.

    Args:
        model: model to train.
        stages: run in order; those without parameters in this model are skipped.
        store: the rows, of which a tenth is held out.
        budget: epochs and time of all stages together.
        config: optimiser, precision and processes.
        checkpoint: file of the training state; None to write none.
        resume: go on from the checkpoint, if it exists.

    Raises:
        KeyboardInterrupt: after Ctrl-C, SIGTERM or SIGHUP; the checkpoint is intact.
        UsageError: the device or precision is not available, or hyper-parameters do not go together.
    """
    stages = [stage for stage in stages if any(True for _ in stage.parameters(model))]
    for stage in stages:
        stage.objective.check(model)
    resumed = stage_reached(checkpoint, budget) if resume and checkpoint else None
    history, epochs, step_seconds = History(budget), 0.0, 0.0
    with silenced(), keeping_freed_memory(), ProgressBar(budget, len(stages)) as bar:
        shared = [history, bar, *([ThreadTuner(budget.clock)] if budget.seconds else [])]
        for number, stage in enumerate(stages, start=1):
            if resumed and number < resumed[0]:
                continue
            name = f"stage {number} of {len(stages)}" if len(stages) > 1 else "training"
            if resumed:
                span = resumed[1]
            else:
                # The last stage that has parameters takes all that is left.
                span = Span.after(budget, epochs, stage.budget_fraction if number < len(stages) else 1.0)
                stage.on_start(model)
                if budget.expired(preallocate=_LEAST_STEPS * step_seconds):
                    _warn(f"The time limit left nothing for {name}: {_MORE_TIME}")
                    continue
            bar.stage = number
            callbacks = [*shared, *([Checkpoints(checkpoint, number, span)] if checkpoint else [])]
            done, end = _train_stage(
                model, stage, store, span, config, callbacks, checkpoint=checkpoint if resumed else None
            )
            if end.is_late and done < 1.0:
                _warn(f"The time limit ended {name} in its first epoch, at {done:.0%} of it: {_MORE_TIME}")
            epochs, step_seconds, resumed = span.epochs_before + done, end.step_seconds, None
    return FitResult(history.frame(), global_rank() == 0)


def _warn(message: str) -> None:
    warnings.warn(message, ConvergenceWarning, stacklevel=2)


def _train_stage(
    model: GenerativeModel,
    stage: Stage,
    store: Store,
    span: Span,
    config: TrainerConfig,
    callbacks: Sequence[pl.Callback],
    *,
    checkpoint: Path | None,
) -> tuple[float, StageEnd]:
    """Train one stage, from a checkpoint if given; returns its epochs, fractions included, and its end."""
    model.train().requires_grad_(False)
    for parameter in stage.parameters(model):
        parameter.requires_grad_()
    rows = StoredRows(store, config.batch_size, config.seed)
    module = TrainingModule(model, stage, rows, span, seed=config.seed, learning_rate=config.learning_rate)
    best = BestWeights(config.patience, stage.parameter_groups(model))
    end = StageEnd(span, reads_rows=stage.on_end is not None)
    trainer = make_trainer(config, span.epochs, [end, Recovery(span.budget.clock), best, *callbacks])
    with module.stage_context, _interruptible(end):
        trainer.fit(
            module,
            datamodule=rows,
            ckpt_path=str(checkpoint) if checkpoint else None,
            weights_only=True if checkpoint else None,
        )
        if best.weights:
            model.load_state_dict(best.weights, strict=False)
        if stage.on_best is not None:
            stage.on_best(model.eval(), rows.all_held_out(model.device))
    model.requires_grad_()
    if stage.on_end is not None:
        few = rows.sample(_ROWS_ON_END, model.device, stop=lambda: span.seconds_left() <= 0.0)
        stage.on_end(model.eval(), few)
    return module.epochs_done(), end


@contextmanager
def _interruptible(end: StageEnd) -> Iterator[None]:
    """Turn Ctrl-C, SIGTERM and SIGHUP into a stop between two steps; a second one stops at once."""
    signals: list[int] = []

    def stop(number: int) -> None:
        signals.append(number)
        end.is_interrupted = True

    try:
        with handle_signals(stop):
            yield
    except (Interrupted, SystemExit):
        # Lightning ends the process itself, with a code of its own, where a second one stops it at once.
        if not signals:
            raise
        raise interrupt_of(signals[0]) from None


def global_rank() -> int:
    """This process's number among those that train together, 0 for the first or only one."""
    return int(rank_zero_only.rank or 0)  # type: ignore[attr-defined]
