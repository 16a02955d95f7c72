"""The objective of DMVAE: its value by hand and in closed form, and what it is without private latents."""

from __future__ import annotations

import pytest
import torch
from torch.distributions import Independent, Normal, kl_divergence

from amodal.batch import Batch
from amodal.distributions import RowNoise
from amodal.fusions import Product
from amodal.models.vae import PrivateLatentVAE
from amodal.models.vae.objectives import ELBO, PrivateELBO
from tests.modalities.vector import NOISE
from tests.models.vae.linear import exact_model, log_marginal, random_model, rows

HOLES = torch.tensor([[1, 1, 1], [1, 0, 1], [0, 1, 0], [1, 1, 0]]).bool()


def test_with_the_exact_posterior_each_of_its_bounds_is_the_log_marginal() -> None:
    net, batch = exact_model(PrivateLatentVAE, Product(prior_expert=False)), rows(1)
    # The joint bound and that of the one column. An ELBO's sample scatters even there, unlike a ratio of densities.
    many = Batch({"a": batch.x["a"].repeat(4_000, 1)}, batch.present.repeat(4_000, 1), torch.arange(24_000))
    loss = PrivateELBO()(net, many, RowNoise(0, many.rows))
    assert -loss.total.item() == pytest.approx(2 * log_marginal(net, batch).mean().item(), abs=0.03)


def test_it_sums_lower_bounds() -> None:
    net, row = random_model(PrivateLatentVAE, Product(prior_expert=True), 3), rows(3, 1)
    many = Batch(
        {name: x.expand(4_000, -1) for name, x in row.x.items()},
        row.present.expand(4_000, -1),
        torch.arange(4_000),
    )
    loss = PrivateELBO()(net, many, RowNoise(0, many.rows)).total.item()
    assert -loss < 4 * log_marginal(net, row).item() - 0.1


@pytest.mark.parametrize("private", [0, 2])
def test_the_value_is_by_hand_the_joint_bound_and_one_for_each_present_column(private: int) -> None:
    net = random_model(PrivateLatentVAE, Product(prior_expert=True), 3, private)
    batch = Batch(rows(3, 4).x, HOLES, torch.arange(4))
    loss = PrivateELBO(beta=0.6)(net, batch, RowNoise(0, batch.rows))
    experts, q_w = net.encode_parts(batch)
    noise = RowNoise(0, batch.rows)
    eps_z = [noise.normal(1, 2) for _ in range(4)]
    eps_w = [noise.normal(1, private) for _ in range(3)]
    total = torch.zeros(())
    for row, present in enumerate(batch.present):
        columns = present.nonzero().flatten().tolist()
        for which, members in enumerate([columns, [0], [1], [2]]):
            if not set(members) <= set(columns):
                continue
            precision = 1 + experts.log_variance[row, members].neg().exp().sum(0)
            mean = (experts.mean[row, members] * experts.log_variance[row, members].neg().exp()).sum(0)
            q_z = Normal(mean / precision, precision.rsqrt())
            z = q_z.loc + q_z.scale * eps_z[which][row, 0]
            kl = kl_divergence(Independent(q_z, 1), Independent(Normal(torch.zeros(2), 1.0), 1))
            total = total - 0.6 * kl
            for m in columns:
                own = q_w["abc"[m]]
                deviation = own.log_variance[row].mul(0.5).exp()
                w = own.mean[row] + deviation * eps_w[m][row, 0]
                mean_x = net.decoders[m].map(torch.cat([z, w]))
                total = total + Normal(mean_x, NOISE).log_prob(batch.x["abc"[m]][row]).sum()
                total = total - 0.6 * kl_divergence(Normal(own.mean[row], deviation), Normal(0.0, 1.0)).sum()
    torch.testing.assert_close(-loss.total, total / len(batch))


def test_without_private_latents_its_joint_part_is_the_elbo_of_the_product() -> None:
    net = random_model(PrivateLatentVAE, Product(prior_expert=True), 3, private=0)
    batch = rows(3)
    joint = ELBO()(net, batch, RowNoise(0, batch.rows))
    whole = PrivateELBO()(net, batch, RowNoise(0, batch.rows))
    for name in ("kl", *net.modalities):
        torch.testing.assert_close(whole.terms[name], joint.terms[name])
    assert whole.terms["private_kl"] == 0
