from __future__ import annotations

import torch
from torch.distributions import Independent, Normal, kl_divergence

from amodal.distributions import Gaussians, kl_to_standard

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
