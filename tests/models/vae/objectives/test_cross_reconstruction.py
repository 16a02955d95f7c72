"""The objective of MMVAE+: its value by hand and in closed form, and what it is without private latents."""

from __future__ import annotations

import math
from typing import cast

import pytest
import torch
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal

from amodal.batch import Batch
from amodal.distributions import RowNoise
from amodal.fusions import Mixture
from amodal.models.vae import MMVAEPlus, MultimodalVAE
from amodal.models.vae.objectives import CrossReconstruction, ImportanceWeighted
from tests.modalities.vector import NOISE, Vector
from tests.models.vae.linear import exact_model, log_marginal, random_model, rows

MIXTURE = Mixture(prior_expert=False)


def model(columns: int, private: int = 1) -> MMVAEPlus:
    return cast(MMVAEPlus, random_model(MMVAEPlus, MIXTURE, columns, private))


@pytest.mark.parametrize("samples", [1, 3])
def test_with_the_exact_posterior_it_is_the_log_marginal(samples: int) -> None:
    net, batch = cast(MMVAEPlus, exact_model(MMVAEPlus, MIXTURE)), rows(1)
    loss = CrossReconstruction(samples)(net, batch, RowNoise(0, batch.rows)).total
    torch.testing.assert_close(-loss, log_marginal(net, batch).mean())


def test_it_is_a_lower_bound_that_tightens_with_samples() -> None:
    net, row = model(3), rows(3, 1)
    many = Batch(
        {name: x.expand(4_000, -1) for name, x in row.x.items()},
        row.present.expand(4_000, -1),
        torch.arange(4_000),
    )
    few, more = (-CrossReconstruction(k)(net, many, RowNoise(0, many.rows)).total.item() for k in (1, 10))
    assert few < more - 0.1
    assert more < log_marginal(net, row).item() - 0.01


def test_the_value_is_the_bounds_by_hand() -> None:
    samples, beta = 2, 0.7
    net, batch = model(2), rows(2, 4)
    with torch.no_grad():
        net.auxiliary_log_scales[0].fill_(0.4)
        net.auxiliary_log_scales[1].fill_(-0.3)
    batch = Batch(batch.x, torch.tensor([[1, 1], [1, 1], [1, 0], [0, 1]]).bool(), batch.rows)
    loss = CrossReconstruction(samples, beta)(net, batch, RowNoise(0, batch.rows)).total

    noise = RowNoise(0, batch.rows)
    eps_z = noise.normal(2, samples, 2)
    eps_w = torch.stack([noise.normal(samples, 1) for _ in range(2)], 1)
    eps_v = torch.stack([noise.normal(2, samples, 1) for _ in range(2)], 1)
    experts, private = net.encode_parts(batch)
    bounds = []
    for row, present in enumerate(batch.present):
        columns = present.nonzero().flatten().tolist()
        means, scales = experts.mean[row, columns], experts.log_variance[row, columns].mul(0.5).exp()
        q_z = MixtureSameFamily(
            Categorical(logits=torch.zeros(len(columns))), Independent(Normal(means, scales), 1)
        )
        for m in columns:
            weights = []
            for k in range(samples):
                deviation = experts.log_variance[row, m].mul(0.5).exp()
                z = experts.mean[row, m] + deviation * eps_z[row, m, k]
                q = private["ab"[m]]
                q_w = Independent(Normal(q.mean[row], q.log_variance[row].mul(0.5).exp()), 1)
                w = q.mean[row] + q.log_variance[row].mul(0.5).exp() * eps_w[row, m, k]
                standard = [Independent(Normal(torch.zeros(n), 1.0), 1) for n in (2, 1)]
                ratio = standard[0].log_prob(z) + standard[1].log_prob(w)
                weight = beta * (ratio - q_z.log_prob(z) - q_w.log_prob(w))
                for n in columns:
                    v = w if n == m else net.auxiliary_log_scales[n].exp() * eps_v[row, n, m, k]
                    mean = net.decoders[n].map(torch.cat([z, v]))
                    weight = weight + Normal(mean, NOISE).log_prob(batch.x["ab"[n]][row]).sum()
                weights.append(weight)
            bound = torch.logsumexp(torch.stack(weights), 0) - math.log(samples)
            bounds.append(bound / len(columns))
    torch.testing.assert_close(-loss, torch.stack(bounds).sum() / len(batch))


@pytest.mark.parametrize("samples", [1, 3])
def test_without_private_latents_it_is_the_objective_of_mmvae(samples: int) -> None:
    net, batch = model(3, private=0), rows(3)
    torch.manual_seed(0)
    shared = MultimodalVAE(
        {name: Vector(2) for name in "abc"}, MIXTURE, latent=2, features=4, likelihood_weight=1.0
    )
    losses = [
        objective(vae, batch, RowNoise(0, batch.rows), 0.05)
        for objective, vae in ((CrossReconstruction(samples), net), (ImportanceWeighted(samples), shared))
    ]
    torch.testing.assert_close(losses[0].total, losses[1].total)
    for loss in losses:
        loss.total.backward()
    for mine, theirs in zip(net.experts, shared.experts, strict=True):
        torch.testing.assert_close(mine.weight.grad, theirs.weight.grad)


def test_the_auxiliary_scale_is_learned_from_the_other_columns_latents() -> None:
    net, batch = model(2), rows(2)
    CrossReconstruction()(net, batch.given(["a"]), RowNoise(0, batch.rows)).total.backward()
    # A column alone is decoded with its own private latent.
    assert all((scale.grad == 0).all() for scale in net.auxiliary_log_scales)
    net.zero_grad()
    CrossReconstruction()(net, batch, RowNoise(0, batch.rows)).total.backward()
    assert all((scale.grad != 0).all() for scale in net.auxiliary_log_scales)
