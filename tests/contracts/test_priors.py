"""Contract of every prior over the latent; a new one is tested by being listed."""

from __future__ import annotations

import pytest
import torch
from torch.distributions import Independent, Normal

from amodal.distributions import Gaussians
from amodal.models.vae.priors import PRIORS, StandardNormal

DIMS, SAMPLES = 3, 200_000


@pytest.fixture(params=PRIORS, ids=lambda kind: kind.__name__)
def prior(request: pytest.FixtureRequest) -> StandardNormal:
    torch.manual_seed(0)
    return request.param(DIMS)


@pytest.fixture
def posteriors() -> Gaussians:
    """Gaussians (2, 2, D), two of them far from the origin."""
    mean = torch.tensor([[0.0, 0.5], [-2.0, 3.0]])[:, :, None].expand(2, 2, DIMS)
    log_variance = torch.tensor([0.0, -1.0, 1.0]).expand(2, 2, DIMS)
    return Gaussians(mean.clone().requires_grad_(), log_variance.clone().requires_grad_())


def test_it_is_a_distribution_of_one_latent(prior: StandardNormal) -> None:
    assert prior().event_shape == (DIMS,)
    assert prior().batch_shape == ()
    assert prior().log_prob(torch.randn(4, 5, DIMS)).shape == (4, 5)


def test_its_density_integrates_to_one(prior: StandardNormal) -> None:
    wide = Independent(Normal(torch.zeros(DIMS), 3.0), 1)
    points = wide.sample((SAMPLES,))
    total = (prior().log_prob(points) - wide.log_prob(points)).exp().mean()
    torch.testing.assert_close(total, torch.tensor(1.0), atol=0.02, rtol=0.0)


def test_the_divergence_is_that_of_its_density(prior: StandardNormal, posteriors: Gaussians) -> None:
    q = Independent(Normal(posteriors.mean, posteriors.log_variance.mul(0.5).exp()), 1)
    z = q.sample((SAMPLES,))
    estimate = (q.log_prob(z) - prior().log_prob(z)).mean(0)
    divergence = prior.kl(posteriors)
    assert divergence.shape == (2, 2)
    torch.testing.assert_close(divergence, estimate.detach(), atol=0.05, rtol=0.01)


def test_the_divergence_is_positive_and_trains_the_posterior(
    prior: StandardNormal, posteriors: Gaussians
) -> None:
    divergence = prior.kl(posteriors)
    assert (divergence > 0).all()
    divergence.sum().backward()
    for values in (posteriors.mean, posteriors.log_variance):
        assert values.grad is not None
        assert values.grad.isfinite().all()
        assert (values.grad != 0).any()


def test_it_moves_with_its_module(prior: StandardNormal) -> None:
    assert prior.to(torch.float64)().log_prob(torch.zeros(DIMS, dtype=torch.float64)).dtype == torch.float64
