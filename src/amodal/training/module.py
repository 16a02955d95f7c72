"""The model, its objective and its optimiser, as a LightningModule."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import asdict
from typing import Any, cast

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
from amodal.training.schedule import LRDecay, cosine, warm_up

_VALIDATION_SEED = 987_654_321
_CONTEXT_FRACTION = 0.3
"""Most of a stage's time that `Stage.context` may take."""


class TrainingModule(pl.LightningModule):
    """Minimises a stage's objective with Adam.

    The learning rate rises linearly over the first steps and falls along a cosine as the stage's span is used up, be
    it counted in epochs or in time, so that training ends well whatever the limit.

    Args:
        model: model to train.
        stage: its objective and hooks.
        rows: training and held-out rows.
        span: the stage's part of the budget.
        seed: a row's noise depends on it, the step and the row alone.
        learning_rate: peak of the schedule.

    Attributes:
        stage_context: holds `Stage.context` while the stage is trained.
        terms: of the last batch's loss.
        lr_decay: the decay before the stage ends early; None until it begins.
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
        self.stage_context = ExitStack()
        self.span = span
        self.seed = seed
        self.learning_rate = learning_rate
        self.lr_decay: LRDecay | None = None
        self.terms: Mapping[str, Tensor] = {}
        self._means = Means()
        self._train_terms: Mapping[str, float] = {}

    def on_fit_start(self) -> None:
        # The model is on its device now, and has the weights that a resumed run goes on from.
        rows = self.rows.all(self.device, stop=self._context_is_late)
        held_out = torch.from_numpy(self.rows.held_out).to(self.device)
        context = self.stage.context(self.model, rows, len(self.rows.store), held_out, self._context_is_late)
        self.stage_context.enter_context(context)

    def _context_is_late(self) -> bool:
        # Processes that train together must all read the same rows.
        return self.trainer.world_size == 1 and self.span.seconds_left(_CONTEXT_FRACTION) <= 0.0

    def epochs_done(self) -> float:
        """Epochs of this stage, the current one counted by its steps."""
        return self.global_step / max(1, int(self.trainer.num_training_batches))

    def progress(self) -> float:
        """Fraction of the stage's span used up, 0 to 1."""
        return self.span.fraction(self.epochs_done())

    def training_step(self, batch: Batch) -> Tensor:
        seed = (self.seed << 32) + self.global_step + 1
        # Of dropout, so that a resumed run goes on as an unbroken one.
        torch.manual_seed(seed)
        noise = RowNoise(seed, batch.rows)
        loss = self.stage.objective(self.model, batch, noise, self.progress())
        self._update_means(loss, batch)
        return loss.total

    def validation_step(self, batch: Batch) -> None:
        noise = RowNoise(_VALIDATION_SEED, batch.rows)
        self._update_means(self.stage.objective(self.model, batch, noise), batch)

    def on_train_batch_end(self, *_: Any) -> None:
        if self.trainer.is_last_batch or self.trainer.should_stop:
            self._log_means("train")

    def on_validation_epoch_end(self) -> None:
        self._log_means("val")

    def reset_means(self) -> None:
        """Forget the losses of the epoch so far."""
        self._means.reset()

    def _update_means(self, loss: Loss, batch: Batch) -> None:
        self.terms = loss.terms
        self._means.update({"loss": loss.total.detach(), **loss.terms}, len(batch))

    def _log_means(self, prefix: str) -> None:
        # Once an epoch: Lightning takes a millisecond and more to log a step's losses.
        terms = self._means_of_all_processes()
        means = {f"{prefix}_{name}": mean for name, mean in terms.items()}
        numbers = {name: float(mean) for name, mean in terms.items()}
        if prefix == "train":
            self._train_terms = numbers
        else:
            self.stage.on_validation(self.model, self._train_terms, numbers)
            means["val_score"] = torch.tensor(self.stage.score(self.model, numbers))
        self.log_dict(means, on_step=False, on_epoch=True, batch_size=self._means.rows, sync_dist=True)
        self._means.reset()

    def _means_of_all_processes(self) -> dict[str, Tensor]:
        """The terms' means, over as many rows in each process; all processes must decide alike by them."""
        means = self._means.compute()
        if self.trainer.world_size == 1 or not means:
            return means
        stacked = self.trainer.strategy.reduce(torch.stack(list(means.values())), reduce_op="mean")
        return dict(zip(means, cast(Tensor, stacked), strict=True))

    def configure_optimizers(self) -> torch.optim.Optimizer:
        trained = [parameter for parameter in self.parameters() if parameter.requires_grad]
        return torch.optim.Adam(trained, lr=self.learning_rate, fused=True)

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:
        factor = warm_up(self.global_step) * cosine(self.progress())
        if self.lr_decay:
            factor *= cosine(self.lr_decay.fraction(self.epochs_done()))
        for group in self.trainer.optimizers[0].param_groups:
            group["lr"] = self.learning_rate * factor

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        checkpoint["lr_decay"] = asdict(self.lr_decay) if self.lr_decay else None

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        self.lr_decay = LRDecay(**checkpoint["lr_decay"]) if checkpoint["lr_decay"] else None

    def transfer_batch_to_device(self, batch: Batch, device: torch.device, dataloader_idx: int) -> Any:
        return batch.to(device)
