"""Callbacks of training: best weights, checkpoints, history and progress."""

from __future__ import annotations

import io
import math
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, Self

import lightning.pytorch as pl
import pandas as pd
import torch
from lightning.pytorch.plugins.io import TorchCheckpointIO
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from torch import Tensor

from amodal.files import replacing_file
from amodal.training.budget import Budget, Span
from amodal.training.module import LRDecay, TrainingModule
from amodal.training.stopping import agreed


class AtomicCheckpointIO(TorchCheckpointIO):
    """Replaces a checkpoint in one step, so that a kill leaves the one before intact."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        # In memory first, as Lightning does, which then writes to the folder for temporary files, and moves it.
        content = io.BytesIO()
        torch.save(checkpoint, content)
        with replacing_file(Path(path)) as beside:
            beside.write_bytes(content.getbuffer())


def stage_reached(checkpoint: Path, budget: Budget) -> tuple[int, Span] | None:
    """Number and span of a checkpoint's stage; None without a checkpoint, or, with a notice, where it is damaged."""
    if not checkpoint.is_file():
        return None
    try:
        stage = torch.load(checkpoint, weights_only=True, map_location="cpu")["stage"]
        return stage["number"], Span(budget, stage["start"], stage["end"], stage["epochs_before"])
    except (RuntimeError, EOFError, KeyError, TypeError, ValueError, UnpicklingError) as problem:
        reason = str(problem).partition("\n")[0]
        print(f"{checkpoint} is damaged, and training begins anew ({reason})", file=sys.stderr, flush=True)
        return None


class BestWeights(pl.Callback):
    """Keeps the weights of the epoch with the lowest held-out loss, and ends a stage that no longer improves.

    Training then goes on from those weights once more while the learning rate decays, since the best epoch at a high
    rate is a noisy one.

    Args:
        patience: epochs without a lower loss before the rate decays, and length of the decay in epochs.
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
            else {"val_loss": (1.0, "")}
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


class History(pl.Callback):
    """Records one row an epoch: its number, seconds since the start, losses and their terms.

    Args:
        budget: gives the time; a resumed run's earlier time is added to it.
    """

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self.rows: list[dict[str, float]] = []

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        metrics = {name: float(value) for name, value in trainer.callback_metrics.items()}
        ordered = {name: metrics.pop(name) for name in ("train_loss", "val_loss") if name in metrics}
        row = {"epoch": len(self.rows) + 1, "seconds": round(self.budget.elapsed(), 3)}
        self.rows.append(row | ordered | metrics)

    def frame(self) -> pd.DataFrame:
        """One row an epoch so far."""
        return pd.DataFrame(
            self.rows or {name: [] for name in ("epoch", "seconds", "train_loss", "val_loss")}
        )

    def state_dict(self) -> dict[str, Any]:
        return {"rows": self.rows, "spent": self.budget.elapsed()}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        self.rows = list(state_dict["rows"])
        self.budget.spent = state_dict["spent"]


class Checkpoints(pl.Callback):
    """Writes the last epoch's state to a file, at most once in a few seconds.

    Args:
        path: the file.
        number: of the stage.
        span: of the stage.
        every: seconds between two checkpoints.
    """

    def __init__(self, path: Path, number: int, span: Span, every: float = 10.0) -> None:
        self.path = path
        self.number = number
        self.span = span
        self.every = every
        self._last = -float("inf")

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if agreed(trainer, time.monotonic() - self._last > self.every):
            trainer.save_checkpoint(self.path)
            self._last = time.monotonic()

    def on_save_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        span = {name: getattr(self.span, name) for name in ("start", "end", "epochs_before")}
        checkpoint["stage"] = {"number": self.number, **span}


class ProgressBar(pl.Callback):
    """Shows the epoch, losses, used budget and time left on stderr; one bar for all stages.

    Args:
        budget: of all stages.
        stages: how many there are.
    """

    def __init__(self, budget: Budget, stages: int = 1) -> None:
        self.budget = budget
        self.stages = stages
        self.stage = 1
        self._task: TaskID | None = None
        self._bar = Progress(
            TextColumn("Training"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f} %"),
            TextColumn("{task.fields[status]}"),
            TimeElapsedColumn(),
            TextColumn("{task.fields[left]}"),
            console=Console(stderr=True),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if trainer.is_global_zero and self._task is None:
            self._bar.start()
            self._task = self._bar.add_task("fit", total=1.0, status="", left="")

    def on_train_batch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule, *_: Any) -> None:
        if self._task is None or not isinstance(pl_module, TrainingModule):
            return
        span, done = pl_module.span, pl_module.epochs_done()
        left = self.budget.seconds_left(span.epochs_before + done)
        stage = f"stage {self.stage} of {self.stages}, " if self.stages > 1 else ""
        status = f"{stage}epoch {math.floor(span.epochs_before + done) + 1}"
        labels = {"train_loss": "loss", "val_loss": "held-out", "train_kl": "kl"}
        metrics = trainer.callback_metrics
        status += "".join(
            f"  {label} {float(metrics[name]):.1f}" for name, label in labels.items() if name in metrics
        )
        self._bar.update(
            self._task,
            completed=span.budget_fraction(done),
            status=status,
            left="" if left is None else f"{int(left) // 60}:{int(left) % 60:02d} left",
        )
