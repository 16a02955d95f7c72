"""The end of a stage when its time is up."""

from __future__ import annotations

import math
from collections import deque
from typing import Any

import lightning.pytorch as pl
import torch

from amodal.training.budget import Span
from amodal.training.data import StoredRows
from amodal.training.module import TrainingModule

_WARM_UP_STEPS = 2
"""Steps before the first that is timed: they set up kernels and memory."""

_STEPS_TIMED = 8
_VALIDATION_FRACTION = 0.1
"""Most of a stage's time that one pass over the held-out rows may take."""

_VALIDATION_COST = 0.5
"""Time of a validation step in training steps, before one was timed: it has no backward pass."""

_ON_END_FRACTION = 0.05
"""Part of a stage's time that is reserved for `Stage.on_end`."""


class Interrupted(BaseException):
    """A signal asked the process to stop; raised between two steps."""


class StageEnd(pl.Callback):
    """Ends a stage when its time is up or its epochs are done, or when the user interrupts it.

    A step is timed before an epoch is promised: held-out rows are subsampled where a pass over all of them would take
    more than a tenth of the stage, and the stage ends while there is time for that pass.

    Args:
        span: the stage's part of the budget.
        reads_rows: reserve time for reading rows after the stage.

    Attributes:
        is_interrupted: set to end training after the current step.
        is_late: whether the time was up at the last step.
    """

    def __init__(self, span: Span, *, reads_rows: bool = False) -> None:
        self.span = span
        self.is_interrupted = False
        self.is_late = False
        self._clock = span.budget.clock
        self._reserve = span.seconds * _ON_END_FRACTION if reads_rows and math.isfinite(span.seconds) else 0.0
        self._steps: deque[float] = deque(maxlen=_STEPS_TIMED)
        self._count = 0
        self._step_started = 0.0
        self._validation_seconds = 0.0
        self._is_validation_timed = False
        self._validation_started = 0.0

    @property
    def step_seconds(self) -> float:
        """Mean time of the last steps; 0 before one was timed."""
        return sum(self._steps) / len(self._steps) if self._steps else 0.0

    def on_train_batch_start(self, *_: Any) -> None:
        self._step_started = self._clock()

    def on_train_batch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule, *_: Any) -> None:
        if agreed(trainer, self.is_interrupted):
            raise Interrupted
        if not isinstance(pl_module, TrainingModule):
            return
        self._count += 1
        if self._count == _WARM_UP_STEPS:
            self._steps.clear()
        self._steps.append(self._clock() - self._step_started)
        if math.isfinite(self.span.seconds) and not self._is_validation_timed:
            self._subsample_held_out(pl_module.rows)
        reserve = self.step_seconds + self._validation_seconds + self._reserve
        self.is_late = self.span.is_late(reserve)
        is_over = self.span.is_over(pl_module.epochs_done(), reserve)
        trainer.should_stop = trainer.should_stop or agreed(trainer, is_over)

    def _subsample_held_out(self, rows: StoredRows) -> None:
        """Choose the held-out rows before the first validation, so that all of the stage read the same."""
        steps = rows.steps_of_validation()
        seconds = steps * self.step_seconds * _VALIDATION_COST
        most = max(1e-9, self.span.seconds * _VALIDATION_FRACTION)
        rows.validation_stride = min(steps, max(1, math.ceil(seconds / most)))
        self._validation_seconds = seconds / rows.validation_stride

    def on_validation_start(self, *_: Any) -> None:
        self._validation_started = self._clock()

    def on_validation_end(self, *_: Any) -> None:
        self._validation_seconds = self._clock() - self._validation_started
        self._is_validation_timed = True


def agreed(trainer: pl.Trainer, decision: bool) -> bool:
    """The first process's decision, so that all processes do the same."""
    if trainer.world_size == 1:
        return decision
    flag = torch.tensor(float(decision), device=trainer.strategy.root_device)
    return bool(trainer.strategy.broadcast(flag).item())
