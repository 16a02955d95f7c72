"""Multimodal variational autoencoders with a latent private to each column."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn

from amodal.batch import Batch
from amodal.distributions import Gaussians
from amodal.fusions import Fusion
from amodal.modalities import Modality
from amodal.models.vae.latents import Posterior
from amodal.models.vae.multimodal_vae import MultimodalVAE
from amodal.models.vae.priors import AggregatePosterior, StandardNormal


class PrivateLatentVAE(MultimodalVAE):
    """p(x, z, w) = p(z) prod_m p(w_m) p(x_m | z, w_m), with standard normal priors.

    The shared latent z holds what columns have in common, a private latent w_m what the others do not know of
    column m. A column's encoder gives an expert q_m(z | x_m) for the fusion rule and q(w_m | x_m); a column that is
    not given takes w_m from its prior.

    Args:
        modalities: column name -> fitted modality.
        fusion: rule that joins the experts.
        latent: D, size of z.
        private: P, size of each w_m.
        features: size of each encoder's output.
        likelihood_weight: weight of a column in training; see `JointLatentVAE`.
    """

    def __init__(
        self,
        modalities: Mapping[str, Modality],
        fusion: Fusion,
        *,
        latent: int = 64,
        private: int = 16,
        features: int = 256,
        likelihood_weight: float = 100.0,
    ) -> None:
        # Each column's expert and decoder have the two parts side by side; the prior is that of the shared part.
        super().__init__(
            modalities,
            fusion,
            latent=latent + private,
            features=features,
            likelihood_weight=likelihood_weight,
        )
        self.latent = latent
        self.prior = StandardNormal(latent)
        self.aggregate_posterior = AggregatePosterior(latent)

    def encode_parts(self, batch: Batch) -> tuple[Gaussians, dict[str, Gaussians]]:
        """Experts q_m(z | x_m), (B, M, D), and q(w_m | x_m) by column name, (B, P); absent cells have the prior."""
        experts = self.encode(batch)
        private = experts[..., self.latent :]
        return experts[..., : self.latent], {name: private[:, m] for m, name in enumerate(self.modalities)}

    def posterior(self, batch: Batch) -> Posterior:
        experts, private = self.encode_parts(batch)
        return Posterior(self.fusion(experts, batch.present), private)

    def conditional(self, batch: Batch) -> Posterior:
        experts, private = self.encode_parts(batch)
        return Posterior(self.fusion.conditional(experts, batch.present), private)


class MMVAEPlus(PrivateLatentVAE):
    """The model of MMVAE+ (Palumbo et al., ICLR 2023): private latents, with an auxiliary prior each for training.

    `CrossReconstruction` decodes column n from another column's z and a w_n of r_n = N(0, diag(scale_n^2)), whose
    scale is learned and starts at that of the prior.

    Args:
        modalities: column name -> fitted modality.
        fusion: rule that joins the experts; the paper's is `Mixture`.
        latent: D, size of z.
        private: P, size of each w_m.
        features: size of each encoder's output.
        likelihood_weight: weight of a column in training; see `JointLatentVAE`.

    Attributes:
        auxiliary_log_scales: log scale_n (P,) of each column.
    """

    def __init__(
        self,
        modalities: Mapping[str, Modality],
        fusion: Fusion,
        *,
        latent: int = 64,
        private: int = 16,
        features: int = 256,
        likelihood_weight: float = 100.0,
    ) -> None:
        super().__init__(
            modalities,
            fusion,
            latent=latent,
            private=private,
            features=features,
            likelihood_weight=likelihood_weight,
        )
        self.auxiliary_log_scales = nn.ParameterList(torch.zeros(private) for _ in modalities)
