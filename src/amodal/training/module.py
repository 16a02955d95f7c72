"""The model, its objective and its optimiser, as Lightning wants them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from typing import Any

import lightning.pytorch as pl
import torch
from torch import Tensor

from amodal.batch import Batch
from amodal.distributions import RowNoise
from amodal.methods import Stage
from amodal.models import GenerativeModel, Loss
from amodal.training.budget import Span
from amodal.training.data import StoredRows
from amodal.training.means import Means

_WARM_STEPS = 100
_LAST_RATE = 0.02
_VALIDATION_SEED = 987_654_321
_PREPARATION_SHARE = 0.3
"""Most of a stage's time that is given to what is worked out of all rows before it."""


@dataclass(frozen=True)
class LRDecay:
    """A learning rate's fall to its last value before a stage ends early.

    Attributes:
        start: epochs of the stage that were done when it began.
        epochs: how many it takes.
    """

    start: float
    epochs: int

    def done(self, epochs_done: float) -> float:
        """How much of the fall is over, 0 to 1."""
        return min(1.0, (epochs_done - self.start) / max(1, self.epochs))


class TrainingModule(pl.LightningModule):
    """Trains a model by a stage's objective.

    The learning rate rises over the first steps and falls along a cosine as its part of the budget is used up, so that
    training ends well whatever the limit; and sooner when the stage no longer gets better.

    Args:
        model: what is trained.
        stage: how.
        rows: what it is trained on.
        span: the stage's part of the budget.
        seed: of the noise; a row's noise depends on the seed, the step and the row alone.
        learning_rate: the highest.

    Attributes:
        kept: what the stage keeps while it lasts.
        terms: of the loss of the last batch.
        cooling: the rate's fall before the stage ends early, once it has begun.
    """

    def __init__(
        self,
        model: GenerativeModel,
        stage: Stage,
        rows: StoredRows,
        span: Span,
        *,
        seed: int,
        learning_rate: float,
    ) -> None:
        super().__init__()
        self.model = model
        self.stage = stage
        self.rows = rows
        self.kept = ExitStack()
        self.span = span
        self.seed = seed
        self.learning_rate = learning_rate
        self.cooling: LRDecay | None = None
        self.terms: Mapping[str, Tensor] = {}
        self._means = Means()

    def on_fit_start(self) -> None:
        # The model is on its device now, and has the weights that a resumed run goes on from.
        rows = self.rows.all(self.device, self._preparation_over)
        self.kept.enter_context(self.stage.context(self.model, rows, len(self.rows.store)))

    def _preparation_over(self) -> bool:
        # Processes that train together must all have seen the same rows.
        return self.trainer.world_size == 1 and self.span.seconds_left(_PREPARATION_SHARE) <= 0.0

    def epochs_done(self) -> float:
        """Epochs of this stage, the current one counted by its steps."""
        return self.global_step / max(1, int(self.trainer.num_training_batches))

    def used(self) -> float:
        """The share of the span used up, counted in epochs where these bind and in time where it does."""
        return self.span.used(self.epochs_done())

    def training_step(self, batch: Batch) -> Tensor:
        noise = RowNoise((self.seed << 32) + self.global_step + 1, batch.rows)
        loss = self.stage.objective(self.model, batch, noise, self.used())
        self._add(loss, batch)
        return loss.total

    def validation_step(self, batch: Batch) -> None:
        self._add(self.stage.objective(self.model, batch, RowNoise(_VALIDATION_SEED, batch.rows)), batch)

    def on_train_batch_end(self, *_: Any) -> None:
        if self.trainer.is_last_batch or self.trainer.should_stop:
            self._tell("train")

    def on_validation_epoch_end(self) -> None:
        self._tell("val")

    def drop_means(self) -> None:
        """Forget the losses of the epoch so far."""
        self._means.taken()

    def _add(self, loss: Loss, batch: Batch) -> None:
        self.terms = loss.terms
        self._means.add({"loss": loss.total.detach(), **loss.terms}, len(batch))

    def _tell(self, part: str) -> None:
        # Once an epoch: Lightning takes a millisecond and more to note a step's losses.
        rows = self._means.rows
        means = {f"{part}_{name}": mean for name, mean in self._means.taken().items()}
        self.log_dict(means, on_step=False, on_epoch=True, batch_size=rows, sync_dist=True)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        trained = [parameter for parameter in self.parameters() if parameter.requires_grad]
        return torch.optim.Adam(trained, lr=self.learning_rate, fused=True)

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:
        warm = min(1.0, (self.global_step + 1) / _WARM_STEPS)
        falling = _fall(self.used())
        if self.cooling:
            falling *= _fall(self.cooling.done(self.epochs_done()))
        for group in self.trainer.optimizers[0].param_groups:
            group["lr"] = self.learning_rate * warm * falling

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        checkpoint["cooling"] = asdict(self.cooling) if self.cooling else None

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        self.cooling = LRDecay(**checkpoint["cooling"]) if checkpoint["cooling"] else None

    def transfer_batch_to_device(self, batch: Batch, device: torch.device, dataloader_idx: int) -> Any:
        return batch.to(device)


def _fall(done: float) -> float:
    """A cosine from 1 to the last rate's share of the highest."""
    return _LAST_RATE + (1 - _LAST_RATE) * 0.5 * (1 + math.cos(math.pi * done))
