"""Distributions that torch.distributions lacks, and the row noise that all are sampled from."""

from amodal.distributions.bag import BagOfWords
from amodal.distributions.binned import Binned, bins_of
from amodal.distributions.draw import draw
from amodal.distributions.flow import FewStepFlow, Flow, Velocity
from amodal.distributions.gaussian import Gaussians, bounded_gaussians, kl_to_standard
from amodal.distributions.guidance import guided_tokens, guided_velocity
from amodal.distributions.label_set import LabelSet
from amodal.distributions.mixture import GaussianMixture, mixture_of
from amodal.distributions.noise import RowNoise
from amodal.distributions.normal import IsotropicNormal
from amodal.distributions.quantiles import quantile
from amodal.distributions.sequence import TokenSequence
from amodal.distributions.truncated import Truncated, restrict_outcomes

__all__ = [
    "BagOfWords",
    "Binned",
    "FewStepFlow",
    "Flow",
    "GaussianMixture",
    "Gaussians",
    "IsotropicNormal",
    "LabelSet",
    "RowNoise",
    "TokenSequence",
    "Truncated",
    "Velocity",
    "bins_of",
    "bounded_gaussians",
    "draw",
    "guided_tokens",
    "guided_velocity",
    "kl_to_standard",
    "mixture_of",
    "quantile",
    "restrict_outcomes",
]
