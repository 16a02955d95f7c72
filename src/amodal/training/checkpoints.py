"""Checkpoints of a run, of which a kill leaves the last one intact."""

from __future__ import annotations

import io
import sys
import time
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import lightning.pytorch as pl
import torch
from lightning.pytorch.plugins.io import TorchCheckpointIO

from amodal.files import replacing_file
from amodal.training.budget import Budget, Span
from amodal.training.stopping import agreed


class AtomicCheckpointIO(TorchCheckpointIO):
    """Replaces a checkpoint in one step, so that a kill leaves the one before intact."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        # In memory first, as Lightning does; it would then write to the system's temporary folder, and move that.
        content = io.BytesIO()
        torch.save(checkpoint, content)
        with replacing_file(Path(path)) as staging:
            staging.write_bytes(content.getbuffer())


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
