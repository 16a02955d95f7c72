"""Flow matching in the latents of per-column autoencoders, given any subset of a row's cells."""

from amodal.models.latent_flow.autoencoder import ColumnAutoencoder
from amodal.models.latent_flow.column_elbo import ColumnELBO
from amodal.models.latent_flow.distillation import DistillationLoss
from amodal.models.latent_flow.losses import AnyOrder
from amodal.models.latent_flow.model import LatentFlow

__all__ = ["AnyOrder", "ColumnAutoencoder", "ColumnELBO", "DistillationLoss", "LatentFlow"]
