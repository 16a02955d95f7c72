"""The history of losses, and the progress bar."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Self

import lightning.pytorch as pl
import pandas as pd
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from amodal.training.budget import Budget
from amodal.training.module import TrainingModule


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
