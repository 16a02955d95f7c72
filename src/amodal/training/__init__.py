"""Training of a model on a store: the loop, its budget and its learning rate.

Losses and masks belong to the models: `amodal.models.latent_flow.losses` and `masks`, `amodal.models.vae.objectives`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from amodal.training.budget import Budget, parse_duration
from amodal.training.config import TrainerConfig

if TYPE_CHECKING:
    from amodal.training.fit import FitResult, global_rank, train

__all__ = ["Budget", "FitResult", "TrainerConfig", "global_rank", "parse_duration", "train"]


def __getattr__(name: str) -> Any:
    # Importing Lightning takes seconds: it waits until something is trained.
    if name in __all__:
        from amodal.training import fit

        return getattr(fit, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
