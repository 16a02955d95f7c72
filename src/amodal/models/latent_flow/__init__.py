"""Flow matching in the latents of per-column autoencoders, conditioned on any subset of a row's cells."""

from amodal.models.latent_flow.calibration import calibrate_heads
from amodal.models.latent_flow.distillation import DistillationLoss, init_students
from amodal.models.latent_flow.losses import AnyOrderLoss, ColumnELBO, flow_matching_loss
from amodal.models.latent_flow.model import LatentFlow
from amodal.models.latent_flow.path import LinearPath
from amodal.models.latent_flow.preparation import prepare_conditionals

__all__ = [
    "AnyOrderLoss",
    "ColumnELBO",
    "DistillationLoss",
    "LatentFlow",
    "LinearPath",
    "calibrate_heads",
    "flow_matching_loss",
    "init_students",
    "prepare_conditionals",
]
