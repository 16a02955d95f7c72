"""The best epoch of a stage, and the early end of a stage that no longer improves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import lightning.pytorch as pl
from torch import Tensor

from amodal.training.module import TrainingModule
from amodal.training.schedule import LRDecay


class BestWeights(pl.Callback):
    """Keeps the weights of the epoch with the lowest `Stage.score`, and ends a stage that no longer improves.

    Training then goes on from those weights once more while the learning rate decays, since the best epoch at a high
    rate is a noisy one.

    Args:
        patience: epochs without a lower score before the rate decays, and length of the decay in epochs.
        parameter_groups: column -> prefix of the names of the weights that its term, a log-likelihood, depends on;
            each group has a best epoch of its own. Empty where all weights share one loss.

    Attributes:
        weights: name -> best weight so far, on the CPU.
    """

    def __init__(self, patience: int, parameter_groups: Mapping[str, str]) -> None:
        self.patience = patience
        self._monitored = (
            {f"val_{column}": (-1.0, prefix) for column, prefix in parameter_groups.items()}
            if parameter_groups
            else {"val_score": (1.0, "")}
        )
        self._losses = dict.fromkeys(self._monitored, float("inf"))
        self._epoch = -1
        self.weights: dict[str, Tensor] = {}

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        model = pl_module.get_submodule("model")
        for metric, (sign, prefix) in self._monitored.items():
            loss = sign * float(trainer.callback_metrics[metric])
            if loss < self._losses[metric]:
                self._losses[metric], self._epoch = loss, trainer.current_epoch
                for name, weight in model.state_dict().items():
                    if name.startswith(prefix):
                        self.weights[name] = weight.detach().cpu().clone()
        if not isinstance(pl_module, TrainingModule):
            return
        if pl_module.lr_decay is None and trainer.current_epoch - self._epoch >= self.patience:
            pl_module.lr_decay = LRDecay(pl_module.epochs_done(), self.patience)
            model.load_state_dict(self.weights, strict=False)
        elif pl_module.lr_decay and pl_module.lr_decay.fraction(pl_module.epochs_done()) >= 1.0:
            trainer.should_stop = True

    def state_dict(self) -> dict[str, Any]:
        return {"losses": self._losses, "epoch": self._epoch, "weights": self.weights}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self._losses, self._epoch = state_dict["losses"], state_dict["epoch"]
        self.weights = state_dict["weights"]
