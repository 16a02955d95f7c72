"""Training a model on a store."""

from amodal.training.budget import Budget, parse_duration
from amodal.training.fit import FitResult, TrainerConfig, global_rank, train

__all__ = ["Budget", "FitResult", "TrainerConfig", "global_rank", "parse_duration", "train"]
