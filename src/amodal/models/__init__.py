"""Models: from a batch to distributions. No file, no table, no progress bar."""

from amodal.models.early_fusion import EarlyFusionVAE
from amodal.models.joint_latent import JointLatentVAE
from amodal.models.latent_flow import LatentFlow
from amodal.models.model import Model
from amodal.models.multimodal_vae import MultimodalVAE

__all__ = ["EarlyFusionVAE", "JointLatentVAE", "LatentFlow", "Model", "MultimodalVAE"]
