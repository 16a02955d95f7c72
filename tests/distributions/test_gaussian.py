from __future__ import annotations

import torch
from torch.distributions import Independent, Normal, kl_divergence

from amodal.distributions import Gaussians, RowNoise, bounded_gaussians, kl_to_standard

GENERATOR = torch.Generator().manual_seed(0)
MEAN, LOG_VARIANCE = torch.randn(2, 4, 3, generator=GENERATOR)
OTHER_MEAN, OTHER_LOG_VARIANCE = torch.randn(2, 4, 3, generator=GENERATOR)


def in_torch(mean: torch.Tensor, log_variance: torch.Tensor) -> Independent:
    return Independent(Normal(mean, torch.exp(0.5 * log_variance)), 1)


def test_log_prob_is_that_of_torch() -> None:
    z = torch.randn(4, 3, generator=GENERATOR)
    expected = in_torch(MEAN, LOG_VARIANCE).log_prob(z)
    torch.testing.assert_close(Gaussians(MEAN, LOG_VARIANCE).log_prob(z), expected)


def test_divergence_is_that_of_torch() -> None:
    ours = Gaussians(MEAN, LOG_VARIANCE).kl(Gaussians(OTHER_MEAN, OTHER_LOG_VARIANCE))
    theirs = kl_divergence(in_torch(MEAN, LOG_VARIANCE), in_torch(OTHER_MEAN, OTHER_LOG_VARIANCE))
    torch.testing.assert_close(ours, theirs)


def test_divergence_from_the_standard_normal() -> None:
    standard = Gaussians(torch.zeros(3), torch.zeros(3))
    gaussians = Gaussians(MEAN, LOG_VARIANCE)
    torch.testing.assert_close(kl_to_standard(gaussians), gaussians.kl(standard))


def test_masked_gaussians_are_standard_normal_without_gradient() -> None:
    mean, log_variance = (t.clone().requires_grad_() for t in (MEAN, LOG_VARIANCE))
    mask = torch.tensor([True, False, True, False])
    masked = Gaussians(torch.where(mask[:, None], mean, torch.nan), log_variance).masked(mask)
    assert (masked.mean[~mask] == 0).all()
    assert (masked.log_variance[~mask] == 0).all()
    torch.testing.assert_close(masked.mean[mask], MEAN[mask])
    kl_to_standard(masked).sum().backward()
    assert log_variance.grad is not None
    assert (log_variance.grad[~mask] == 0).all()


def test_samples_have_the_gaussians_moments() -> None:
    z = Gaussians(MEAN, LOG_VARIANCE).draw(RowNoise(0, torch.arange(4)), 20_000)
    torch.testing.assert_close(z.mean(1), MEAN, atol=0.06, rtol=0)
    torch.testing.assert_close(z.var(1), LOG_VARIANCE.exp(), atol=0, rtol=0.05)


def test_log_variances_of_network_outputs_are_bounded() -> None:
    outputs = torch.tensor([[3.0, 0.5, 0.1, 1e6]])
    gaussians = bounded_gaussians(outputs)
    torch.testing.assert_close(gaussians.mean, outputs[:, :2])
    torch.testing.assert_close(gaussians.log_variance, torch.tensor([[0.1, 8.0]]), atol=1e-4, rtol=0)
