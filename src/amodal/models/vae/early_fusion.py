"""The autoencoder of all columns' vectors side by side."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import accumulate, pairwise

import torch
from torch import Tensor, nn

from amodal.batch import Batch
from amodal.distributions import GaussianMixture
from amodal.modalities import Modality
from amodal.models.base import zero_missing
from amodal.models.vae.joint_latent import JointLatentVAE, bounded


class EarlyFusionVAE(JointLatentVAE):
    """One encoder of the columns' vectors, put side by side with which of them are there, and a decoder a column.

    The oldest way to join modalities (early or feature-level fusion: Baltrusaitis et al., arXiv 1705.09406): nothing
    is known of a column but its numbers. An absent cell is zeros.

    Each vector is divided by the square root of `Modality.size`, and so is about as long as any other's,
    be it of one number or of thousands: a picture does not drown a label, and none needs statistics of the data.

    Args:
        modalities: column name -> fitted modality.
        latent: D.
        features: size of the encoder's hidden layers.
        likelihood_weight: how much a column weighs in training; see `JointLatentVAE`.

    Attributes:
        places: of each column, where its vector stands in what the encoder reads. The M numbers after the last
            say which columns are there.
    """

    def __init__(
        self,
        modalities: Mapping[str, Modality],
        *,
        latent: int = 64,
        features: int = 512,
        likelihood_weight: float = 100.0,
    ) -> None:
        super().__init__(modalities, latent=latent, likelihood_weight=likelihood_weight)
        ends = [0, *accumulate(_length(modality) for modality in modalities.values())]
        self.places = [slice(*place) for place in pairwise(ends)]
        self.encoder = nn.Sequential(
            nn.Linear(ends[-1] + len(modalities), features),
            # The inputs are short vectors, among thousands of numbers: without this they are hardly heard at first.
            nn.LayerNorm(features),
            nn.GELU(),
            nn.Linear(features, features),
            nn.GELU(),
            nn.Linear(features, 2 * latent),
        )

    def vectors(self, batch: Batch) -> list[Tensor]:
        """Each column's vectors (B, F_m), scaled; zeros where a cell is absent."""
        columns = []
        for index, (name, modality) in enumerate(self.modalities.items()):
            present = batch.present[:, index]
            cells = modality.vector(zero_missing(batch.x[name], present))
            columns.append(zero_missing(cells, present) / math.sqrt(modality.size))
        return columns

    def posterior(self, batch: Batch) -> GaussianMixture:
        """q(z | the present cells); the prior for a row with none."""
        seen = torch.cat([*self.vectors(batch), batch.present.float()], dim=1)
        said = self.encoder(seen).float()
        # The prior is known, and need not be learned.
        said = torch.where(batch.present.any(1, keepdim=True), said, 0.0)
        return GaussianMixture(bounded(said[:, None]), torch.ones_like(batch.present[:, :1]))


def _length(modality: Modality) -> int:
    """How many numbers a cell's vector has, asked of an empty one."""
    return modality.vector(torch.zeros(1, *modality.shape, dtype=getattr(torch, modality.dtype))).shape[1]
