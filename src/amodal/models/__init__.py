"""Generative models: from a batch of tensors to distributions."""

from amodal.models.base import GenerativeModel
from amodal.models.latent_flow import LatentFlow
from amodal.models.objective import Loss, Objective
from amodal.models.vae import EarlyFusionVAE, JointLatentVAE, MultimodalVAE

__all__ = [
    "EarlyFusionVAE",
    "GenerativeModel",
    "JointLatentVAE",
    "LatentFlow",
    "Loss",
    "MultimodalVAE",
    "Objective",
]
