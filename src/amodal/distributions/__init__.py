"""What torch.distributions lacks: noise owned by rows, masked Gaussian mixtures, sequences of tokens."""

from amodal.distributions.draw import draw
from amodal.distributions.gaussian import Gaussians, kl_to_standard
from amodal.distributions.mixture import GaussianMixture
from amodal.distributions.noise import RowNoise
from amodal.distributions.sequence import TokenSequence

__all__ = [
    "GaussianMixture",
    "Gaussians",
    "RowNoise",
    "TokenSequence",
    "draw",
    "kl_to_standard",
]
