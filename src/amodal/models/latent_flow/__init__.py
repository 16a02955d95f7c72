"""Flow matching in the latents of per-column autoencoders, conditioned on any subset of a row's cells."""

from amodal.models.latent_flow.distillation import DistillationLoss, init_students
from amodal.models.latent_flow.latent_cache import cache_latents
from amodal.models.latent_flow.losses import AnyOrderLoss, ColumnELBO, flow_matching_loss
from amodal.models.latent_flow.model import LatentFlow
from amodal.models.latent_flow.path import LinearPath

__all__ = [
    "AnyOrderLoss",
    "ColumnELBO",
    "DistillationLoss",
    "LatentFlow",
    "LinearPath",
    "cache_latents",
    "flow_matching_loss",
    "init_students",
]
