"""Value of the evidence lower bound, and modality dropout."""

from __future__ import annotations

import torch
from torch.distributions import Independent, Normal, kl_divergence

from amodal.batch import Batch
from amodal.distributions import RowNoise
from amodal.fusions import Product
from amodal.modalities import NumberQuantile
from amodal.models.vae import MultimodalVAE
from amodal.models.vae.objectives import ELBO

ROWS, COLUMNS = 4_000, 4


def present() -> torch.Tensor:
    mask = torch.rand(ROWS, COLUMNS, generator=torch.Generator().manual_seed(0)) < 0.8
    mask[:, 0] |= ~mask.any(1)
    return mask


def test_it_is_the_log_likelihood_minus_the_divergence() -> None:
    torch.manual_seed(0)
    modalities = {name: NumberQuantile((0.0, 1.0), decimals=2) for name in "ab"}
    model = MultimodalVAE(modalities, Product(prior_expert=True), latent=3, features=8, likelihood_weight=1.0)
    rows = torch.arange(5)
    batch = Batch({name: torch.randn(5) for name in "ab"}, torch.ones(5, 2, dtype=torch.bool), rows)
    q = model.posterior(batch).shared.components
    divergence = kl_divergence(
        Independent(Normal(q.mean[:, 0], q.log_variance[:, 0].mul(0.5).exp()), 1), model.prior()
    )
    z = model.posterior(batch).draw(RowNoise(3, rows), 1)
    fit = model.log_likelihoods(z, batch).sum((1, 2))
    loss = ELBO()(model, batch, RowNoise(3, rows)).total
    torch.testing.assert_close(loss, (divergence - fit).mean())


def test_dropout_gives_parts_of_all_sizes_of_half_of_the_rows() -> None:
    mask = present()
    given = ELBO(dropout=0.5).given_mask(mask, RowNoise(0, torch.arange(ROWS)))
    assert not (given & ~mask).any()
    assert given.any(1).all()
    full = mask.all(1)
    counts = given[full].sum(1).bincount(minlength=COLUMNS + 1) / full.sum()
    # Zero to four of four scores are below a random share, equally often; one cell is given at least.
    expected = torch.tensor([0, 0.5 * 2 / 5, 0.5 / 5, 0.5 / 5, 0.5 + 0.5 / 5])
    torch.testing.assert_close(counts, expected, atol=0.03, rtol=0)
    # Each cell is equally often the only one.
    single = given[full & (given.sum(1) == 1)].float().mean(0)
    torch.testing.assert_close(single, torch.full((COLUMNS,), 1 / COLUMNS), atol=0.06, rtol=0)


def test_dropped_cells_are_still_scored() -> None:
    torch.manual_seed(0)
    modalities = {name: NumberQuantile((0.0, 1.0), decimals=2) for name in "ab"}
    model = MultimodalVAE(modalities, Product(prior_expert=False), latent=2, features=8)
    mask, rows = torch.ones(64, 2, dtype=torch.bool), torch.arange(64)
    batch = Batch({name: torch.randn(64) for name in "ab"}, mask, rows)
    whole, part = (ELBO(dropout=share)(model, batch, RowNoise(0, rows)) for share in (0.0, 1.0))
    assert whole.total != part.total
    ELBO(dropout=1.0)(model, batch, RowNoise(0, rows)).total.backward()
    for decoder in model.decoders:
        assert all((weight.grad != 0).any() for weight in decoder.parameters())
