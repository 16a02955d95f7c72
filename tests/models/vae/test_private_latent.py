"""Models with private latents: completion takes the private latent of a missing column from its prior."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from amodal.distributions import RowNoise
from amodal.fusions import Mixture, Product
from amodal.models.vae import MMVAEPlus, PrivateLatentVAE
from tests.models.vae.linear import exact_model, log_marginal, random_model, rows

KINDS = [(PrivateLatentVAE, Product), (MMVAEPlus, Mixture)]


@pytest.mark.parametrize(("kind", "fusion"), KINDS)
def test_log_prob_is_the_exact_marginal(kind, fusion) -> None:
    model, batch = random_model(kind, fusion(prior_expert=False), columns=3), rows(3)
    with torch.no_grad():
        # Weak loadings, so that few samples suffice.
        for decoder in model.decoders:
            decoder.map.weight.mul_(0.3)
    estimate = model.log_prob(batch, RowNoise(0, batch.rows), num_samples=20_000, chunk_size=5_000)
    torch.testing.assert_close(estimate, log_marginal(model, batch), atol=0.05, rtol=0)


def test_log_prob_of_one_sample_is_exact_with_the_exact_posterior() -> None:
    model, batch = exact_model(PrivateLatentVAE, Product(prior_expert=False)), rows(1)
    posterior = model.posterior(batch)
    latents = posterior.draw(RowNoise(0, batch.rows), 4)
    weights = model.log_likelihoods(latents, batch)[..., 0] + model.log_prior(latents)
    torch.testing.assert_close(
        weights - posterior.log_prob(latents), log_marginal(model, batch)[:, None].expand(-1, 4)
    )


@pytest.mark.parametrize(("kind", "fusion"), KINDS)
def test_the_private_latent_is_the_priors_where_a_column_is_missing_and_its_own_where_given(
    kind, fusion
) -> None:
    model, batch = random_model(kind, fusion(prior_expert=False), columns=2), rows(2, 5_000)
    with torch.no_grad():
        # b's decoder shows its private latent, and nothing of the shared one; a is large, so as to move the shared.
        model.decoders[1].map.weight.copy_(torch.tensor([[0.0, 0.0, 1.0], [0.0, 0.0, 0.0]]))
        model.decoders[1].map.bias.zero_()
        model.experts[1].bias[2] = 5.0
    batch = replace(batch, x={**batch.x, "a": 3 * batch.x["a"]})
    noise = [RowNoise(0, batch.rows) for _ in range(2)]
    missing = model.complete(batch.given(["a"]), ["b"], noise[0])["b"][:, 0]
    given = model.complete(batch, ["b"], noise[1])["b"][:, 0]
    # The likelihood's noise is added: N(0, 1 + NOISE^2).
    assert missing.mean().abs() < 0.06
    assert missing.var().item() == pytest.approx(1.25, rel=0.07)
    assert given.mean() > 4.0


def test_embeddings_are_of_the_shared_latent() -> None:
    model, batch = random_model(PrivateLatentVAE, Product(prior_expert=True), columns=2), rows(2)
    before = model.embed(batch)
    assert before.shape == (len(batch), model.latent)
    with torch.no_grad():
        model.experts[0].bias[model.latent] += 3.0  # the mean of the private latent
    torch.testing.assert_close(model.embed(batch), before)
    assert model.encode_parts(batch)[1]["a"].mean.mean() > 1.0


@pytest.mark.parametrize(("kind", "fusion"), KINDS)
def test_a_private_latent_is_read_by_its_own_column_alone(kind, fusion) -> None:
    model, batch = random_model(kind, fusion(prior_expert=False), columns=2), rows(2)
    latents = model.posterior(batch).draw(RowNoise(0, batch.rows), 3)
    moved = replace(latents, private={**latents.private, "b": latents.private["b"] + 1.0})
    before, after = (model.log_likelihoods(each, batch) for each in (latents, moved))
    assert torch.equal(before[..., 0], after[..., 0])
    assert (before[..., 1] != after[..., 1]).all()
