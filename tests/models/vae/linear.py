"""Private-latent models that are linear and Gaussian, whose marginal and posterior are known in closed form."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.distributions import MultivariateNormal

from amodal.batch import Batch
from amodal.fusions import Fusion
from amodal.modalities import Modality
from amodal.models.vae import PrivateLatentVAE
from tests.modalities.vector import NOISE, Vector

LOADING = torch.tensor([0.9, -0.6])
"""Of the shared and the private latent, each on its own axis of a Vector(2): their posterior is independent."""


def random_model(
    kind: type[PrivateLatentVAE], fusion: Fusion, columns: int, private: int = 1
) -> PrivateLatentVAE:
    torch.manual_seed(0)
    modalities: dict[str, Modality] = {name: Vector(2) for name in "abc"[:columns]}
    return kind(modalities, fusion, latent=2, private=private, features=4, likelihood_weight=1.0)


def exact_model(kind: type[PrivateLatentVAE], fusion: Fusion) -> PrivateLatentVAE:
    """One column, whose encoder gives the exact posterior of (z, w) = (z, w)_prior given x."""
    model = kind({"a": Vector(2)}, fusion, latent=1, private=1, features=2, likelihood_weight=1.0)
    precision = 1 + LOADING.square() / NOISE**2
    with torch.no_grad():
        model.decoders[0].map.weight.copy_(LOADING.diag())
        model.decoders[0].map.bias.zero_()
        model.encoders[0].weight.copy_(torch.eye(2))
        model.encoders[0].bias.zero_()
        model.experts[0].weight.copy_(torch.cat([(LOADING / NOISE**2 / precision).diag(), torch.zeros(2, 2)]))
        # Log-variances are softly bounded to 8.
        model.experts[0].bias.copy_(torch.cat([torch.zeros(2), 8 * torch.atanh(-precision.log() / 8)]))
    return model


def rows(columns: int, count: int = 6) -> Batch:
    generator = torch.Generator().manual_seed(3)
    x = {name: torch.randn(count, 2, generator=generator) for name in "abc"[:columns]}
    return Batch(x, torch.ones(count, columns, dtype=torch.bool), torch.arange(count))


def log_marginal(model: PrivateLatentVAE, batch: Batch) -> Tensor:
    """Exact log p(x) of rows without holes, (B,)."""
    maps = [decoder.map for decoder in model.decoders]
    shared = torch.cat([m.weight[:, : model.latent] for m in maps])
    private = [m.weight[:, model.latent :] for m in maps]
    covariance = shared @ shared.T + torch.block_diag(*(w @ w.T for w in private))
    covariance = covariance + NOISE**2 * torch.eye(len(covariance))
    normal = MultivariateNormal(torch.cat([m.bias for m in maps]), covariance)
    return normal.log_prob(torch.cat(list(batch.x.values()), dim=1)).detach()
