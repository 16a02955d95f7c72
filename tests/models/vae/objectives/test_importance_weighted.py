"""The doubly reparameterised gradient, against autograd through the plain bound."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from amodal.batch import Batch
from amodal.distributions import RowNoise
from amodal.fusions import Mixture
from amodal.models.vae import Latents, MultimodalVAE
from amodal.models.vae.objectives import ImportanceWeighted
from tests.modalities.vector import Vector

SAMPLES, DRAWS = 3, 4_000


def model() -> MultimodalVAE:
    torch.manual_seed(0)
    return MultimodalVAE(
        {"a": Vector(2)}, Mixture(prior_expert=False), latent=1, features=4, likelihood_weight=1.0
    )


def batch() -> Batch:
    # One row many times over, each with noise of its own: the mean over rows is an expectation.
    x = torch.tensor([0.8, -0.5]).expand(DRAWS, -1)
    return Batch({"a": x}, torch.ones(DRAWS, 1, dtype=torch.bool), torch.arange(DRAWS))


def gradients(model: MultimodalVAE, loss: Tensor) -> tuple[Tensor, Tensor]:
    """Of the encoder's and of the decoder's side."""
    parameters = [*model.experts.parameters()], [*model.decoders.parameters()]
    flat = torch.autograd.grad(loss, parameters[0] + parameters[1])
    split = len(parameters[0])
    return torch.cat([g.flatten() for g in flat[:split]]), torch.cat([g.flatten() for g in flat[split:]])


def plain_bound(model: MultimodalVAE, batch: Batch) -> Tensor:
    posterior = model.posterior(batch).shared
    z = posterior.draw_each(RowNoise(0, batch.rows), SAMPLES).flatten(1, 2)
    weights = model.log_likelihoods(Latents(z), batch) @ model.weights
    weights = weights + model.prior().log_prob(z) - posterior.log_prob(z)
    return -(torch.logsumexp(weights, 1) - math.log(SAMPLES)).mean()


def test_value_is_the_bounds_and_the_gradient_is_its_in_expectation() -> None:
    net, rows = model(), batch()
    loss = ImportanceWeighted(SAMPLES)(net, rows, RowNoise(0, rows.rows)).total
    plain = plain_bound(net, rows)
    torch.testing.assert_close(loss, plain)
    (encoder, decoder), (plain_encoder, plain_decoder) = gradients(net, loss), gradients(net, plain)
    torch.testing.assert_close(decoder, plain_decoder)
    torch.testing.assert_close(encoder, plain_encoder, rtol=0.1, atol=0.02)
    assert not torch.allclose(encoder, plain_encoder, rtol=1e-4, atol=1e-6)
