"""Cached latents and the latent statistics that filling the cache fits."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from amodal.batch import Batch
from amodal.distributions import Gaussians, RowNoise
from amodal.models.latent_flow import AnyOrderLoss, LatentFlow, prepare_conditionals
from tests.models.latent_flow.test_losses import small_model
from tests.models.latent_flow.test_model import COLUMNS, MEDIA, NAMES, batch, moving_model, with_nan


def chunks(rows: Batch) -> Iterator[Batch]:
    """All rows, out of order."""
    yield rows[4:]
    yield rows[:4]


def perturb_autoencoders(model: LatentFlow) -> None:
    """Change the autoencoders, so that cached latents differ from encoded ones."""
    for autoencoder in model.autoencoders.values():
        torch.nn.init.constant_(autoencoder.head.bias, 3.0)


def latents_of(model: LatentFlow, rows: Batch, name: str) -> Gaussians:
    return model.latents(NAMES.index(name), rows)


def close(one: Gaussians, other: Gaussians) -> bool:
    return torch.allclose(one.mean, other.mean, atol=1e-5) and torch.allclose(
        one.log_variance, other.log_variance, atol=1e-5
    )


def test_latents_are_cached_within_the_context() -> None:
    model, rows = moving_model(), with_nan(batch())
    some = rows[[8, 1, 4]]
    with prepare_conditionals(model, chunks(rows)):
        cached = latents_of(model, some, "picture")
    encoded = latents_of(model, some, "picture")
    assert close(cached, encoded)
    with prepare_conditionals(model, chunks(rows)):
        perturb_autoencoders(model)
        assert close(latents_of(model, some, "picture"), encoded)
    assert not close(latents_of(model, some, "picture"), encoded)


def test_the_cache_is_cleared_after_an_exception() -> None:
    model, rows = moving_model(), batch()
    before: list[Gaussians] = []

    def interrupted() -> None:
        with prepare_conditionals(model, chunks(rows)):
            before.append(latents_of(model, rows, "picture"))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    perturb_autoencoders(model)
    assert not close(latents_of(model, rows, "picture"), before[0])


def test_the_cache_is_not_in_the_state_dict() -> None:
    model, rows = moving_model(), batch()
    names = set(model.state_dict())
    with prepare_conditionals(model, chunks(rows)):
        assert set(model.state_dict()) == names
        assert all(len(weight) < 10_000 for weight in model.state_dict().values() if weight.dim())


@pytest.mark.parametrize("name", sorted(MEDIA))
def test_latent_stats_are_those_of_samples_of_the_present_cells_posteriors(name: str) -> None:
    model, rows, index = moving_model(), with_nan(batch()), NAMES.index(name)
    autoencoder = model.autoencoder(index)
    assert autoencoder is not None
    present = rows.present[:, index]
    posterior = autoencoder.posterior(COLUMNS[name].scale(rows.x[name][present]))
    with prepare_conditionals(model, chunks(rows)):
        cached = latents_of(model, rows, name)
    torch.testing.assert_close(autoencoder.latent_mean, posterior.mean.mean(0))
    count = 20_000
    deviation = (0.5 * posterior.log_variance).exp()
    sampled = posterior.mean + deviation * torch.randn(count, *deviation.shape)
    torch.testing.assert_close(
        autoencoder.latent_std, sampled.flatten(0, 1).std(0, unbiased=False), rtol=0.02, atol=0
    )
    # Normalised, the present cells' latents have mean 0 and variance 1.
    torch.testing.assert_close(cached.mean[present].mean(0), torch.zeros(32), atol=1e-5, rtol=0)
    variance = cached.mean[present].var(0, unbiased=False) + cached.log_variance[present].exp().mean(0)
    torch.testing.assert_close(variance, torch.ones(32), atol=1e-4, rtol=0)


def test_a_column_without_cells_keeps_its_latent_stats() -> None:
    model, rows = moving_model(), batch().given(["label", "sound"])
    with prepare_conditionals(model, chunks(rows)):
        pass
    autoencoder = model.autoencoder(NAMES.index("picture"))
    assert autoencoder is not None
    assert (autoencoder.latent_mean == 0).all()
    assert (autoencoder.latent_std == 1).all()


def test_the_loss_reads_the_latents_of_the_batchs_rows() -> None:
    model, batch = small_model()
    model.eval()
    once = AnyOrderLoss()(model, batch, RowNoise(0, batch.rows)).total
    order = torch.tensor([4, 2, 0])
    part = batch[order]
    with prepare_conditionals(model, [batch]):
        model.autoencoders["0"].latent_mean.zero_()
        model.autoencoders["0"].latent_std.fill_(1.0)
        latents = model.latents(0, part)
        assert isinstance(latents, Gaussians)
        kept = AnyOrderLoss()(model, part, RowNoise(0, part.rows)).total
        torch.nn.init.constant_(model.autoencoders["0"].head.bias, 9.0)
        again = AnyOrderLoss()(model, part, RowNoise(0, part.rows)).total
    assert torch.equal(kept, again)
    assert once != kept
