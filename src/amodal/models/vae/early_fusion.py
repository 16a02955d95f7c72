"""Variational autoencoder with early fusion: one encoder of all columns' concatenated vectors."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import accumulate, pairwise

import torch
from torch import Tensor, nn

from amodal.batch import Batch
from amodal.distributions import GaussianMixture, bounded_gaussians
from amodal.modalities import Modality
from amodal.models.base import zero_missing
from amodal.models.vae.joint_latent import JointLatentVAE
from amodal.models.vae.latents import Posterior


class EarlyFusionVAE(JointLatentVAE):
    """One encoder of the columns' vectors, concatenated with their mask, and a decoder a column.

    Early or feature-level fusion (Baltrusaitis et al., arXiv 1705.09406); an absent cell is zeros. Each vector is
    divided by sqrt(`Modality.size`), so that all have about the same length, whether of one number or of
    thousands, without statistics of the data.

    Args:
        modalities: column name -> fitted modality.
        latent: D.
        features: size of the encoder's hidden layers.
        likelihood_weight: weight of a column in training; see `JointLatentVAE`.

    Attributes:
        slices: slice of each column's vector in the encoder's input; the last M inputs are the mask.
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
        ends = [0, *accumulate(_vector_length(modality) for modality in modalities.values())]
        self.slices = [slice(*bounds) for bounds in pairwise(ends)]
        self.encoder = nn.Sequential(
            nn.Linear(ends[-1] + len(modalities), features),
            # The inputs are short vectors of thousands of numbers: unnormalised they hardly matter at first.
            nn.LayerNorm(features),
            nn.GELU(),
            nn.Linear(features, features),
            nn.GELU(),
            nn.Linear(features, 2 * latent),
        )

    def vectors(self, batch: Batch) -> list[Tensor]:
        """Each column's rescaled vectors (B, F_m); zeros where a cell is absent."""
        columns = []
        for index, (name, modality) in enumerate(self.modalities.items()):
            present = batch.present[:, index]
            cells = modality.vector(zero_missing(batch.x[name], present))
            columns.append(zero_missing(cells, present) / math.sqrt(modality.size))
        return columns

    def posterior(self, batch: Batch) -> Posterior:
        inputs = torch.cat([*self.vectors(batch), batch.present.float()], dim=1)
        outputs = self.encoder(inputs).float()
        # The prior is known, and need not be learned.
        outputs = torch.where(batch.present.any(1, keepdim=True), outputs, 0.0)
        active = torch.ones_like(batch.present[:, :1])
        return Posterior(GaussianMixture(bounded_gaussians(outputs[:, None]), active))


def _vector_length(modality: Modality) -> int:
    """Length of `Modality.vector`, read off a cell of zeros."""
    return modality.vector(torch.zeros(1, *modality.shape, dtype=getattr(torch, modality.dtype))).shape[1]
