"""Objective of MMVM: divergences by hand, and alignment of the experts."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.distributions import Independent, Normal, kl_divergence

from amodal.batch import Batch
from amodal.distributions import RowNoise
from amodal.fusions import Mixture
from amodal.modalities import NumberQuantile
from amodal.models.vae import MultimodalVAE
from amodal.models.vae.objectives import MixturePrior

COLUMNS = ("a", "b", "c")


def model() -> MultimodalVAE:
    torch.manual_seed(0)
    modalities = {name: NumberQuantile((0.0, 1.0), decimals=2) for name in COLUMNS}
    return MultimodalVAE(modalities, Mixture(prior_expert=False), latent=4, features=16)


def batch(rows: int) -> Batch:
    generator = torch.Generator().manual_seed(1)
    same = torch.randn(rows, generator=generator)
    x = {name: sign * same for name, sign in zip(COLUMNS, (1.0, -1.0, 1.0), strict=True)}
    present = torch.rand(rows, 3, generator=generator) < 0.7
    present[:, 0] |= ~present.any(1)
    return Batch(x, present, torch.arange(rows))


def divergence(net: MultimodalVAE, rows: Batch) -> Tensor:
    """Sum over present experts of their mean divergence from the present ones and the prior, (B,)."""
    experts, total = net.encode(rows), []
    prior = Independent(Normal(torch.zeros(4), torch.ones(4)), 1)
    for row, present in enumerate(rows.present):
        of = [
            Independent(Normal(experts.mean[row, m], experts.log_variance[row, m].mul(0.5).exp()), 1)
            for m in present.nonzero().flatten()
        ]
        members = [*of, prior]
        total.append(sum(kl_divergence(q, n) for q in of for n in members) / len(members))
    return torch.stack(total)


def test_divergence_is_the_mean_over_the_members_of_the_mixture() -> None:
    net, rows = model(), batch(12)
    loss = MixturePrior()(net, rows, RowNoise(0, rows.rows))
    torch.testing.assert_close(loss.terms["kl"], divergence(net, rows).mean().detach())
    twice = MixturePrior(beta=2.0)(net, rows, RowNoise(0, rows.rows))
    torch.testing.assert_close(twice.total - loss.total, loss.terms["kl"], atol=1e-3, rtol=0)


def test_each_column_is_decoded_from_its_own_expert_alone() -> None:
    net, rows = model(), batch(12)
    before = MixturePrior()(net, rows, RowNoise(0, rows.rows)).terms
    with torch.no_grad():
        net.experts[1].bias += 1.0
    after = MixturePrior()(net, rows, RowNoise(0, rows.rows)).terms
    assert before["b"] != after["b"]
    assert (before["a"], before["c"]) == (after["a"], after["c"])


def test_experts_are_aligned_so_that_one_column_completes_another() -> None:
    net, rows = model(), batch(256)
    optimiser = torch.optim.Adam(net.parameters(), 0.01)
    for step in range(150):
        optimiser.zero_grad()
        MixturePrior()(net, rows, RowNoise(step, rows.rows)).total.backward()
        optimiser.step()
    whole = Batch(rows.x, torch.ones_like(rows.present), rows.rows)
    drawn = net.complete(whole.given(["a"]), ["b"], RowNoise(0, rows.rows))["b"]
    assert torch.corrcoef(torch.stack([drawn, whole.x["b"]]))[0, 1] > 0.9
