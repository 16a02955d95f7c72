"""The end of a stage of training when its time is up."""

from __future__ import annotations

import math
from collections import deque
from typing import Any

import lightning.pytorch as pl
import torch

from amodal.training.budget import Span
from amodal.training.data import StoredRows
from amodal.training.module import TrainingModule

_WARM_STEPS = 2
"""Steps before the first that is timed: they set up kernels and memory."""

_STEPS_TIMED = 8
_VALIDATION_SHARE = 0.1
"""Most of a stage's time that one pass over the held-out rows may take."""

_VALIDATION_COST = 0.5
"""Time of a validation step in training steps, before one was measured: it has no backward pass."""

_LAST_LOOK_SHARE = 0.05
"""Part of a stage's time, at its end, that is left for what is worked out of rows after it."""


class Interrupted(BaseException):
    """A signal asked the process to stop; raised between two steps."""


class Stopping(pl.Callback):
    """Ends a stage of training when its time is up, or when the user interrupts it.

    A step is timed before an epoch is promised: held-out rows are thinned out where a pass over all of them would take
    more than a tenth of the stage, and the stage ends while there is time left for that pass.

    Args:
        span: the stage's part of the budget.
        last_look: whether rows are looked at after the stage, for which some time is left.

    Attributes:
        interrupted: set to end training after the current step.
        late: whether the time was up at the last step.
    """

    def __init__(self, span: Span, *, last_look: bool = False) -> None:
        self.span = span
        self.interrupted = False
        self.late = False
        self._clock = span.budget.clock
        self._last_look = (
            span.seconds * _LAST_LOOK_SHARE if last_look and math.isfinite(span.seconds) else 0.0
        )
        self._steps: deque[float] = deque(maxlen=_STEPS_TIMED)
        self._count = 0
        self._step_started = 0.0
        self._validation = 0.0
        self._validated = False
        self._validation_started = 0.0

    @property
    def step_seconds(self) -> float:
        """Time of a step, the mean over the last few; 0 before one was timed."""
        return sum(self._steps) / len(self._steps) if self._steps else 0.0

    def on_train_batch_start(self, *_: Any) -> None:
        self._step_started = self._clock()

    def on_train_batch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule, *_: Any) -> None:
        if agreed(trainer, self.interrupted):
            raise Interrupted
        if not isinstance(pl_module, TrainingModule):
            return
        self._count += 1
        if self._count == _WARM_STEPS:
            self._steps.clear()
        self._steps.append(self._clock() - self._step_started)
        if math.isfinite(self.span.seconds) and not self._validated:
            self._thin_out(pl_module.rows)
        reserve = self.step_seconds + self._validation + self._last_look
        self.late = self.span.late(reserve)
        over = self.span.over(pl_module.epochs_done(), reserve)
        trainer.should_stop = trainer.should_stop or agreed(trainer, over)

    def _thin_out(self, rows: StoredRows) -> None:
        """Choose which held-out rows are used, so that all validations of the stage are over the same."""
        steps = rows.steps_of_validation()
        whole = steps * self.step_seconds * _VALIDATION_COST
        most = max(1e-9, self.span.seconds * _VALIDATION_SHARE)
        rows.validation_stride = min(steps, max(1, math.ceil(whole / most)))
        self._validation = whole / rows.validation_stride

    def on_validation_start(self, *_: Any) -> None:
        self._validation_started = self._clock()

    def on_validation_end(self, *_: Any) -> None:
        self._validation = self._clock() - self._validation_started
        self._validated = True


def agreed(trainer: pl.Trainer, decision: bool) -> bool:
    """The first process's decision, so that all processes do the same."""
    if trainer.world_size == 1:
        return decision
    flag = torch.tensor(float(decision), device=trainer.strategy.root_device)
    return bool(trainer.strategy.broadcast(flag).item())
