"""The autoencoder's bound on a cell's log-likelihood, where all is linear and Gaussian."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.distributions import MultivariateNormal

from amodal.batch import Batch
from amodal.distributions import Gaussians, RowNoise
from amodal.models.latent_flow import LatentFlow
from tests.modalities.vector import NOISE, LatentVector


def test_the_bound_is_exact_with_the_exact_posterior_and_tightens_with_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    torch.manual_seed(0)
    # A new flow has velocity zero: its latents are standard normal, and cells are Gaussian.
    model = LatentFlow({"v": LatentVector(3)}, latent=4, features=8, num_steps=1).requires_grad_(False)
    rows = Batch({"v": torch.randn(6, 3)}, torch.ones(6, 1, dtype=torch.bool), torch.arange(6))
    autoencoder = model.autoencoder(0)
    assert autoencoder is not None
    autoencoder.latent_mean.copy_(torch.tensor([0.5, -1.0]))
    autoencoder.latent_std.copy_(torch.tensor([0.7, 2.0]))
    decoder = autoencoder.decoder.map
    decoder.weight.copy_(torch.tensor([[0.9, 0.0], [0.0, 0.4], [0.0, 0.0]]))
    weight = decoder.weight * autoencoder.latent_std
    mean = decoder(autoencoder.latent_mean)
    covariance = weight @ weight.T + NOISE**2 * torch.eye(3)
    exact = MultivariateNormal(mean, covariance).log_prob(rows.x["v"])

    def scores(wider: float, samples: int) -> Tensor:
        precision = 1 + weight.square().sum(0) / NOISE**2
        centred = (rows.x["v"] - mean) @ weight / NOISE**2 / precision
        spread = autoencoder.latent_std
        posterior = Gaussians(
            centred * spread + autoencoder.latent_mean,
            (spread.square() / precision).log() + torch.zeros(6, 2) + wider,
        )
        monkeypatch.setattr(autoencoder, "posterior", lambda cells: posterior)
        return model.log_likelihoods(rows, RowNoise(5, rows.rows), samples)[:, 0]

    torch.testing.assert_close(scores(0.0, 1), exact)
    few, many = ((scores(1.0, samples) - exact).abs().mean() for samples in (1, 100))
    assert many < 0.1
    assert many < 0.5 * few
