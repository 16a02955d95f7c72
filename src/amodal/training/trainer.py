"""Lightning's trainer, set up as amodal needs it."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import lightning.pytorch as pl
import torch
from lightning.fabric.utilities.exceptions import MisconfigurationException

from amodal.errors import UsageError
from amodal.nn import precision
from amodal.training.callbacks import AtomicCheckpointIO
from amodal.training.config import TrainerConfig


def make_trainer(config: TrainerConfig, epochs: int, callbacks: list[pl.Callback]) -> pl.Trainer:
    """A trainer of at most so many epochs.

    Raises:
        UsageError: the device, the precision or the strategy is not available.
    """
    options: dict[str, Any] = {
        "accelerator": {"cuda": "gpu"}.get(config.device, config.device),
        "devices": config.devices,
        "num_nodes": config.num_nodes,
        "strategy": config.strategy,
        "precision": _precision(config),
        "max_epochs": epochs,
    }
    try:
        return pl.Trainer(
            **options,
            callbacks=callbacks,
            plugins=[AtomicCheckpointIO()],
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            use_distributed_sampler=False,
            num_sanity_val_steps=0,
        )
    except (ValueError, RuntimeError, MisconfigurationException) as problem:
        raise UsageError(f"Training cannot run with these settings: {problem}") from problem


def _precision(config: TrainerConfig) -> Any:
    if config.precision != "auto":
        return config.precision
    device = config.device
    if device == "auto":
        accelerator = torch.accelerator.current_accelerator()
        device = accelerator.type if accelerator else "cpu"
    return "bf16-mixed" if precision.has_fast_bfloat16(torch.device(device)) else "32-true"


@contextmanager
def silenced() -> Iterator[None]:
    """Keep Lightning's logs and warnings from users, whose choices they are not about."""
    loggers = [logging.getLogger(name) for name in ("lightning.pytorch", "lightning.fabric")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            for module in (r"lightning\..*", r"torch\.utils\.data\..*", r"torch\.optim\.lr_scheduler"):
                warnings.filterwarnings("ignore", module=module)
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
