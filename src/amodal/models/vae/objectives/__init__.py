"""Objectives of multimodal VAEs, one bound a file."""

from typing import Any

from amodal.models.objective import Objective
from amodal.models.vae.objectives.cross_reconstruction import CrossReconstruction
from amodal.models.vae.objectives.elbo import ELBO
from amodal.models.vae.objectives.importance_weighted import ImportanceWeighted
from amodal.models.vae.objectives.mixture_prior import MixturePrior
from amodal.models.vae.objectives.private_elbo import PrivateELBO
from amodal.models.vae.objectives.subset_elbo import SubsetELBO
from amodal.models.vae.objectives.total_correlation import TotalCorrelation

OBJECTIVES: tuple[type[Objective[Any]], ...] = (
    ELBO,
    SubsetELBO,
    ImportanceWeighted,
    TotalCorrelation,
    MixturePrior,
    CrossReconstruction,
    PrivateELBO,
)

__all__ = [
    "ELBO",
    "OBJECTIVES",
    "CrossReconstruction",
    "ImportanceWeighted",
    "MixturePrior",
    "PrivateELBO",
    "SubsetELBO",
    "TotalCorrelation",
]
