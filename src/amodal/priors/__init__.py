"""Priors over the latent."""

from amodal.priors.aggregate_posterior import AggregatePosterior
from amodal.priors.standard_normal import StandardNormal

PRIORS: tuple[type[StandardNormal], ...] = (StandardNormal,)

__all__ = ["PRIORS", "AggregatePosterior", "StandardNormal"]
