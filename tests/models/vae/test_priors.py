from __future__ import annotations

import torch
from torch.distributions import Independent, Normal

from amodal.distributions import RowNoise, draw
from amodal.models.vae.priors import AggregatePosterior

ROWS = 20_000


def two_clusters(rows: int) -> torch.Tensor:
    """A quarter of the points in an elongated cluster, the others in a round one far from it."""
    generator = torch.Generator().manual_seed(0)
    points = torch.randn(rows, 2, generator=generator)
    first = torch.rand(rows, generator=generator) < 0.25
    return torch.where(first[:, None], points * torch.tensor([0.1, 2.0]) + 5.0, points * 0.5 - 1.0)


def test_the_aggregate_posterior_is_standard_normal_until_it_is_fitted() -> None:
    standard = Independent(Normal(torch.zeros(3), 1.0), 1)
    points = torch.randn(7, 3)
    posterior = AggregatePosterior(3)
    torch.testing.assert_close(posterior().log_prob(points), standard.log_prob(points))
    posterior.fit(points[:1])
    torch.testing.assert_close(posterior().log_prob(points), standard.log_prob(points))


def test_the_fitted_mixture_is_the_density_of_the_latents() -> None:
    seen, unseen = two_clusters(6_000).split(3_000)
    posterior = AggregatePosterior(2, components=2)
    posterior.fit(seen)
    exact = 0.25 * Normal(torch.tensor([5.0, 5.0]), torch.tensor([0.1, 2.0])).log_prob(unseen).sum(1).exp()
    exact = exact + 0.75 * Normal(-1.0, 0.5).log_prob(unseen).sum(1).exp()
    # Nats a point lost by fitting to 3,000 points.
    assert (exact.log() - posterior().log_prob(unseen)).mean() < 0.02


def test_samples_are_of_the_mixture_and_the_same_in_any_batch() -> None:
    posterior = AggregatePosterior(2)
    posterior.fit(two_clusters(3_000))

    def drawn(rows: torch.Tensor) -> torch.Tensor:
        return draw(posterior().expand([len(rows)]), RowNoise(0, rows))

    points = drawn(torch.arange(ROWS))
    far = points[:, 0] > 3.0
    assert abs(far.float().mean() - 0.25) < 0.03
    torch.testing.assert_close(points[far].std(0), torch.tensor([0.1, 2.0]), atol=0.1, rtol=0.1)
    torch.testing.assert_close(points[~far].mean(0), torch.tensor([-1.0, -1.0]), atol=0.05, rtol=0.0)
    torch.testing.assert_close(points[[3, 9]], drawn(torch.tensor([3, 9])))


def test_few_latents_have_one_component_and_the_state_dict_is_complete() -> None:
    posterior, again = AggregatePosterior(2), AggregatePosterior(2)
    posterior.fit(two_clusters(150))
    assert posterior.log_weights.isfinite().sum() == 1
    again.load_state_dict(posterior.state_dict())
    points = torch.randn(5, 2)
    assert torch.equal(again().log_prob(points), posterior().log_prob(points))
