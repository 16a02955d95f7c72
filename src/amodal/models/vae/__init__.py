"""Multimodal variational autoencoders: encoders, a fusion rule, a joint latent, decoders."""

from amodal.models.vae.early_fusion import EarlyFusionVAE
from amodal.models.vae.joint_latent import JointLatentVAE
from amodal.models.vae.latents import Latents, Posterior
from amodal.models.vae.multimodal_vae import MultimodalVAE
from amodal.models.vae.private_latent import MMVAEPlus, PrivateLatentVAE

__all__ = [
    "EarlyFusionVAE",
    "JointLatentVAE",
    "Latents",
    "MMVAEPlus",
    "MultimodalVAE",
    "Posterior",
    "PrivateLatentVAE",
]
