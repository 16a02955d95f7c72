"""What torch.distributions lacks: noise owned by rows, masked Gaussian mixtures, flows, sequences and bags of words."""

from amodal.distributions.bag import BagOfWords
from amodal.distributions.draw import draw
from amodal.distributions.flow import FewStepFlow, Flow
from amodal.distributions.gaussian import Gaussians, kl_to_standard
from amodal.distributions.guidance import guided
from amodal.distributions.mixture import GaussianMixture
from amodal.distributions.noise import RowNoise
from amodal.distributions.normal import IsotropicNormal
from amodal.distributions.sequence import TokenSequence

__all__ = [
    "BagOfWords",
    "FewStepFlow",
    "Flow",
    "GaussianMixture",
    "Gaussians",
    "IsotropicNormal",
    "RowNoise",
    "TokenSequence",
    "draw",
    "guided",
    "kl_to_standard",
]
