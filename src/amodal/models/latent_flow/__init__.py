"""Flow matching in the latents of per-column autoencoders, conditioned on any subset of a row's cells."""

from amodal.models.latent_flow.autoencoder import ColumnAutoencoder
from amodal.models.latent_flow.distillation import DistillationLoss, init_students
from amodal.models.latent_flow.latent_cache import cache_latents
from amodal.models.latent_flow.losses import AnyOrderLoss, ColumnELBO, flow_matching_loss, info_nce
from amodal.models.latent_flow.masks import given_masks
from amodal.models.latent_flow.model import LatentFlow
from amodal.models.latent_flow.path import LinearPath

__all__ = [
    "AnyOrderLoss",
    "ColumnAutoencoder",
    "ColumnELBO",
    "DistillationLoss",
    "LatentFlow",
    "LinearPath",
    "cache_latents",
    "flow_matching_loss",
    "given_masks",
    "info_nce",
    "init_students",
]
