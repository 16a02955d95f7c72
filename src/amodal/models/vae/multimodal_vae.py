"""The multimodal variational autoencoder."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import torch
from torch import Tensor, nn

from amodal.batch import Batch
from amodal.distributions import GaussianMixture, Gaussians
from amodal.fusions import Fusion
from amodal.modalities import Modality
from amodal.models.base import apply_to_present
from amodal.models.vae.joint_latent import JointLatentVAE, bounded


class MultimodalVAE(JointLatentVAE):
    """One latent for a whole row: an encoder and a decoder a column, joined by a fusion rule.

    Each column's encoder gives a Gaussian expert over the latent z (B, D); the fusion rule joins the experts of
    the present cells to q(z | x); each column's decoder gives the likelihood p(x_m | z).

    Args:
        modalities: column name -> fitted modality.
        fusion: the rule that joins experts.
        latent: D.
        features: size of what each encoder hands to its expert.
        likelihood_weight: how much a column weighs in training; see `JointLatentVAE`.
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
        """One expert a column, (B, M, D); of an absent cell the standard normal, which means nothing."""
        said = [
            apply_to_present(partial(self._expert, index), batch.present[:, index], batch.x[name])
            for index, name in enumerate(self.modalities)
        ]
        return bounded(torch.stack(said, dim=1))

    def _expert(self, index: int, stored: Tensor) -> Tensor:
        """What one column's expert says of stored cells, (B, 2 D)."""
        modality = list(self.modalities.values())[index]
        return self.experts[index](self.encoders[index](modality.scale(stored)))

    def posterior(self, batch: Batch) -> GaussianMixture:
        """q(z | the present cells); the prior for a row with none."""
        return self.fusion(self.encode(batch), batch.present)

    def conditional(self, batch: Batch) -> GaussianMixture:
        """q(z | the cells that are given), as the fusion rule has it."""
        return self.fusion.conditional(self.encode(batch), batch.present)
