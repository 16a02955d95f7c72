"""Terms shared by the objectives."""

from __future__ import annotations

import torch
from torch import Tensor

from amodal.batch import Batch
from amodal.models.vae.joint_latent import JointLatentVAE

_WARM_UP = 0.1


def kl_warm_up(progress: float) -> float:
    """Weight of divergences: rises linearly from 0 to 1 over the first tenth of training."""
    return min(1.0, progress / _WARM_UP)


def weighted_sum(model: JointLatentVAE, log_likelihoods: Tensor) -> Tensor:
    """Sum of log-likelihoods (..., M) over the columns, weighted by `JointLatentVAE.weights`, (...)."""
    return log_likelihoods @ model.weights


def column_terms(model: JointLatentVAE, log_likelihoods: Tensor, batch: Batch) -> dict[str, Tensor]:
    """Column name -> mean log-likelihood of its present cells in nats, of (B, S, M)."""
    with torch.no_grad():
        count = batch.present.sum(0).clamp_min(1)
        means = log_likelihoods.mean(1).sum(0) / count
        return dict(zip(model.modalities, means, strict=True))
