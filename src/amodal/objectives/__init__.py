"""Objectives: what a model is trained to raise, one file a bound."""

from typing import Any

from amodal.objectives.any_order import AnyOrder
from amodal.objectives.column_elbo import ColumnELBO
from amodal.objectives.elbo import ELBO
from amodal.objectives.importance_weighted import ImportanceWeighted
from amodal.objectives.mixture_prior import MixturePrior
from amodal.objectives.objective import Loss, Objective
from amodal.objectives.shortcut import Shortcut
from amodal.objectives.subset_elbo import SubsetELBO
from amodal.objectives.total_correlation import TotalCorrelation

OBJECTIVES: tuple[type[Objective[Any]], ...] = (
    ELBO,
    SubsetELBO,
    ImportanceWeighted,
    TotalCorrelation,
    MixturePrior,
    ColumnELBO,
    AnyOrder,
    Shortcut,
)

__all__ = [
    "ELBO",
    "OBJECTIVES",
    "AnyOrder",
    "ColumnELBO",
    "ImportanceWeighted",
    "Loss",
    "MixturePrior",
    "Objective",
    "Shortcut",
    "SubsetELBO",
    "TotalCorrelation",
]
