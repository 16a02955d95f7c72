"""Recovery from a loss that is not finite."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable
from typing import Any

import lightning.pytorch as pl
from sklearn.exceptions import ConvergenceWarning
from torch import Tensor

from amodal.errors import DataError, examples
from amodal.training.module import TrainingModule

_MAX_RESTORES = 3
"""Restores of earlier weights in a stage before training fails."""

_CHECK_STEPS = 50
"""Steps between two checks of the loss where a check makes the processor wait for a graphics card."""

_COPY_SECONDS = 10.0
"""Seconds between two copies of the weights."""


class Recovery(pl.Callback):
    """Restores the last good weights, at half the learning rate, when a loss is not finite.

    Weights are good when the held-out loss after them was finite; copies are kept in memory.

    Args:
        clock: gives the time in seconds.

    Raises:
        DataError: the loss is not finite for the fourth time in a stage.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._count = 0
        self._learning_rate: float | None = None
        self._weights: dict[str, Tensor] = {}
        self._optimizer: dict[str, Any] = {}
        self._copied = 0.0
        self._finite: Tensor | None = None

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if self._learning_rate is not None and isinstance(pl_module, TrainingModule):
            pl_module.learning_rate = self._learning_rate
        self._copy(trainer, pl_module)

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        finite = outputs["loss"].detach().isfinite()
        self._finite = finite if self._finite is None else self._finite & finite
        if pl_module.device.type == "cpu" or batch_idx % _CHECK_STEPS == 0 or trainer.is_last_batch:
            good, self._finite = bool(self._finite), None
            if not good and isinstance(pl_module, TrainingModule):
                self._restore(trainer, pl_module)

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        loss = trainer.callback_metrics.get("val_loss")
        if loss is None or not isinstance(pl_module, TrainingModule):
            return
        if not bool(loss.isfinite()):
            self._restore(trainer, pl_module)
        elif self._clock() - self._copied > _COPY_SECONDS:
            self._copy(trainer, pl_module)

    def _copy(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        model = pl_module.get_submodule("model")
        self._weights = {name: weight.detach().clone() for name, weight in model.state_dict().items()}
        self._optimizer = copy.deepcopy(trainer.optimizers[0].state_dict())
        self._copied = self._clock()

    def _restore(self, trainer: pl.Trainer, pl_module: TrainingModule) -> None:
        self._count += 1
        columns = [name for name, term in pl_module.terms.items() if not bool(term.isfinite())]
        where = f" (of {examples(columns)})" if columns else ""
        if self._count > _MAX_RESTORES:
            raise DataError(
                f"Training does not converge: the loss{where} was not a finite number {self._count} times, at ever "
                "lower learning rates. Look for extreme values in the table, or give a lower learning_rate."
            )
        pl_module.get_submodule("model").load_state_dict(self._weights)
        trainer.optimizers[0].load_state_dict(copy.deepcopy(self._optimizer))
        pl_module.learning_rate = self._learning_rate = pl_module.learning_rate / 2
        pl_module.reset_means()
        warnings.warn(
            f"The loss{where} was not a finite number: training goes on from the last good weights with half the "
            f"learning rate, {pl_module.learning_rate:g}.",
            ConvergenceWarning,
            stacklevel=2,
        )

    def state_dict(self) -> dict[str, Any]:
        return {"count": self._count, "learning_rate": self._learning_rate}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self._count, self._learning_rate = state_dict["count"], state_dict["learning_rate"]
