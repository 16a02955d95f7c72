from __future__ import annotations

import torch
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal

from amodal.distributions import GaussianMixture, Gaussians, RowNoise

GENERATOR = torch.Generator().manual_seed(0)
MEAN = 3 * torch.randn(2, 3, 2, generator=GENERATOR)
LOG_VARIANCE = torch.randn(2, 3, 2, generator=GENERATOR) - 1
ACTIVE = torch.tensor([[True, True, True], [False, True, True]])
MIXTURE = GaussianMixture(Gaussians(MEAN, LOG_VARIANCE), ACTIVE)


def in_torch(row: int) -> MixtureSameFamily:
    active = ACTIVE[row]
    each = Independent(Normal(MEAN[row, active], torch.exp(0.5 * LOG_VARIANCE[row, active])), 1)
    return MixtureSameFamily(Categorical(logits=torch.zeros(int(active.sum()))), each)


def test_log_prob_is_that_of_torch_over_the_active_components() -> None:
    z = torch.randn(2, 5, 2, generator=GENERATOR)
    ours = MIXTURE.log_prob(z)
    for row in range(2):
        torch.testing.assert_close(ours[row], in_torch(row).log_prob(z[row]))


def test_samples_have_the_mixtures_moments() -> None:
    draws = 20_000
    z = MIXTURE.draw(RowNoise(0, torch.arange(2)), draws)
    for row in range(2):
        expected = in_torch(row)
        error = expected.variance.sqrt() / draws**0.5
        assert ((z[row].mean(0) - expected.mean).abs() < 5 * error).all()
        torch.testing.assert_close(z[row].var(0), expected.variance, rtol=0.05, atol=0)
        torch.testing.assert_close(MIXTURE.mean[row], expected.mean)


def test_draw_each_samples_every_component() -> None:
    z = MIXTURE.draw_each(RowNoise(0, torch.arange(2)), 20_000)
    assert z.shape == (2, 3, 20_000, 2)
    torch.testing.assert_close(z.var(2), LOG_VARIANCE.exp(), rtol=0.05, atol=0)
    torch.testing.assert_close(z.mean(2), MEAN, rtol=0, atol=0.06)
