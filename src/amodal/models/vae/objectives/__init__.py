"""Objectives of multimodal VAEs: what training makes smaller, one file a bound."""

from typing import Any

from amodal.models.objective import Objective
from amodal.models.vae.objectives.elbo import ELBO
from amodal.models.vae.objectives.importance_weighted import ImportanceWeighted
from amodal.models.vae.objectives.mixture_prior import MixturePrior
from amodal.models.vae.objectives.subset_elbo import SubsetELBO
from amodal.models.vae.objectives.total_correlation import TotalCorrelation

OBJECTIVES: tuple[type[Objective[Any]], ...] = (
    ELBO,
    SubsetELBO,
    ImportanceWeighted,
    TotalCorrelation,
    MixturePrior,
)

__all__ = ["ELBO", "OBJECTIVES", "ImportanceWeighted", "MixturePrior", "SubsetELBO", "TotalCorrelation"]
