"""Objectives of multimodal VAEs, one bound a file."""

from amodal.models.vae.objectives.cross_reconstruction import CrossReconstruction
from amodal.models.vae.objectives.elbo import ELBO
from amodal.models.vae.objectives.importance_weighted import ImportanceWeighted
from amodal.models.vae.objectives.mixture_prior import MixturePrior
from amodal.models.vae.objectives.private_elbo import PrivateELBO
from amodal.models.vae.objectives.subset_elbo import SubsetELBO
from amodal.models.vae.objectives.total_correlation import TotalCorrelation

__all__ = [
    "ELBO",
    "CrossReconstruction",
    "ImportanceWeighted",
    "MixturePrior",
    "PrivateELBO",
    "SubsetELBO",
    "TotalCorrelation",
]
