"""Multimodal variational autoencoder with a fusion rule."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import torch
from torch import Tensor, nn

from amodal.batch import Batch
from amodal.distributions import Gaussians, bounded_gaussians
from amodal.fusions import Fusion
from amodal.modalities import Modality
from amodal.models.base import apply_to_present
from amodal.models.vae.joint_latent import JointLatentVAE
from amodal.models.vae.latents import Posterior


class MultimodalVAE(JointLatentVAE):
    """An encoder and a decoder a column, with a joint latent z (B, D).

    Each column's encoder gives a Gaussian expert q_m(z | x_m); the fusion rule joins the experts of the present
    cells to q(z | x); each column's decoder gives the likelihood p(x_m | z).

    Args:
        modalities: column name -> fitted modality.
        fusion: rule that joins the experts.
        latent: D.
        features: size of each encoder's output.
        likelihood_weight: weight of a column in training; see `JointLatentVAE`.
    """

    def __init__(
        self,
        modalities: Mapping[str, Modality],
        fusion: Fusion,
        *,
        latent: int = 64,
        features: int = 256,
        likelihood_weight: float = 100.0,
    ) -> None:
        super().__init__(modalities, latent=latent, likelihood_weight=likelihood_weight)
        self.fusion = fusion
        self.encoders = nn.ModuleList(modality.encoder(features) for modality in modalities.values())
        self.experts = nn.ModuleList(nn.Linear(features, 2 * latent) for _ in modalities)

    def encode(self, batch: Batch) -> Gaussians:
        """Experts q_m(z | x_m), (B, M, D); the standard normal where a cell is absent."""
        outputs = [
            apply_to_present(partial(self._expert, index), batch.present[:, index], batch.x[name])
            for index, name in enumerate(self.modalities)
        ]
        return bounded_gaussians(torch.stack(outputs, dim=1))

    def _expert(self, index: int, stored: Tensor) -> Tensor:
        """Outputs (B, 2 D) of one column's encoder and expert, for stored cells."""
        modality = list(self.modalities.values())[index]
        return self.experts[index](self.encoders[index](modality.scale(stored)))

    def posterior(self, batch: Batch) -> Posterior:
        return Posterior(self.fusion(self.encode(batch), batch.present))

    def conditional(self, batch: Batch) -> Posterior:
        return Posterior(self.fusion.conditional(self.encode(batch), batch.present))
