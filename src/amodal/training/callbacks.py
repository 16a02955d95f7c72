"""What happens beside training: remembering the best, checkpoints, history, progress."""

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
from amodal.training.budget import Budget
from amodal.training.module import LRDecay, TrainingModule
from amodal.training.stopping import agreed


class AtomicCheckpointIO(TorchCheckpointIO):
    """Writes a checkpoint beside and renames it, so that a kill leaves the one before whole."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        # In memory first, as Lightning does, which then writes to the folder for temporary files, and moves it.
        content = io.BytesIO()
        torch.save(checkpoint, content)
        with replacing_file(Path(path)) as beside:
            beside.write_bytes(content.getbuffer())


def stage_reached(checkpoint: Path) -> dict[str, Any] | None:
    """What a checkpoint says of its stage; None where there is none, or, with a notice, where it is damaged."""
    if not checkpoint.is_file():
        return None
    try:
        return dict(torch.load(checkpoint, weights_only=True, map_location="cpu")["stage"])
    except (RuntimeError, EOFError, KeyError, TypeError, ValueError, UnpicklingError) as problem:
        reason = str(problem).partition("\n")[0]
        print(f"{checkpoint} is damaged, and training begins anew ({reason})", file=sys.stderr, flush=True)
        return None


class BestWeights(pl.Callback):
    """Remembers the weights of the epoch with the lowest validation loss, and ends a stage that no longer gets better.

    It then goes on from those weights once more while the learning rate falls, since the best epoch of a rate that is
    still high is a noisy one.

    Args:
        patience: epochs without a better loss before the rate falls, and epochs that it takes to fall.
        apart: column -> what the names of the weights begin with that its term alone depends on, a log-likelihood;
            the best epoch of each is then its own. Empty where all weights share one loss.
    """

    def __init__(self, patience: int, apart: Mapping[str, str]) -> None:
        self.patience = patience
        self._measures = (
            {f"val_{column}": (-1.0, start) for column, start in apart.items()}
            if apart
            else {"val_loss": (1.0, "")}
        )
        self._losses = dict.fromkeys(self._measures, float("inf"))
        self._epoch = -1
        self.weights: dict[str, Tensor] = {}

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        model = pl_module.get_submodule("model")
        for measure, (sign, start) in self._measures.items():
            loss = sign * float(trainer.callback_metrics[measure])
            if loss < self._losses[measure]:
                self._losses[measure], self._epoch = loss, trainer.current_epoch
                for name, weight in model.state_dict().items():
                    if name.startswith(start):
                        self.weights[name] = weight.detach().cpu().clone()
        if not isinstance(pl_module, TrainingModule):
            return
        if pl_module.cooling is None and trainer.current_epoch - self._epoch >= self.patience:
            pl_module.cooling = LRDecay(pl_module.epochs_done(), self.patience)
            model.load_state_dict(self.weights, strict=False)
        elif pl_module.cooling and pl_module.cooling.done(pl_module.epochs_done()) >= 1.0:
            trainer.should_stop = True

    def state_dict(self) -> dict[str, Any]:
        return {"losses": self._losses, "epoch": self._epoch, "weights": self.weights}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self._losses, self._epoch = state_dict["losses"], state_dict["epoch"]
        self.weights = state_dict["weights"]


class History(pl.Callback):
    """One row an epoch: its number, seconds since the start, losses and their terms."""

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self.rows: list[dict[str, float]] = []

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        metrics = {name: float(value) for name, value in trainer.callback_metrics.items()}
        ordered = {name: metrics.pop(name) for name in ("train_loss", "val_loss") if name in metrics}
        row = {"epoch": len(self.rows) + 1, "seconds": round(self.budget.elapsed(), 3)}
        self.rows.append(row | ordered | metrics)

    def frame(self) -> pd.DataFrame:
        """All epochs so far."""
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
        stage: what is said of the stage, to be read before the rest is loaded.
        every: seconds between two.
    """

    def __init__(self, path: Path, stage: Mapping[str, Any], every: float = 10.0) -> None:
        self.path = path
        self.stage = dict(stage)
        self.every = every
        self._last = -float("inf")

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if agreed(trainer, time.monotonic() - self._last > self.every):
            trainer.save_checkpoint(self.path)
            self._last = time.monotonic()

    def on_save_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        checkpoint["stage"] = self.stage


class ProgressBar(pl.Callback):
    """Shows epoch, losses, how far the budget is used up and the time left; one bar for all stages.

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
            TextColumn("{task.fields[told]}"),
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
            self._task = self._bar.add_task("fit", total=1.0, told="", left="")

    def on_train_batch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule, *_: Any) -> None:
        if self._task is None or not isinstance(pl_module, TrainingModule):
            return
        span, done = pl_module.span, pl_module.epochs_done()
        left = self.budget.seconds_left(span.epochs_before + done)
        stage = f"stage {self.stage} of {self.stages}, " if self.stages > 1 else ""
        told = f"{stage}epoch {math.floor(span.epochs_before + done) + 1}"
        shown = {"train_loss": "loss", "val_loss": "held-out", "train_kl": "kl"}
        metrics = trainer.callback_metrics
        told += "".join(
            f"  {word} {float(metrics[key]):.1f}" for key, word in shown.items() if key in metrics
        )
        self._bar.update(
            self._task,
            completed=span.whole(done),
            told=told,
            left="" if left is None else f"{int(left) // 60}:{int(left) % 60:02d} left",
        )
