"""Training a model on a store."""

from amodal.training.budget import Budget, seconds_of
from amodal.training.fit import Plan, Training, process_number, train

__all__ = ["Budget", "Plan", "Training", "process_number", "seconds_of", "train"]
