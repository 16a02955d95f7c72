"""Moments of the Hellinger barycenter, against sums over a fine grid."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from amodal.distributions import Gaussians
from amodal.fusions import Hellinger

EXPERTS = {
    "one": ([[0.7, -1.0]], [[0.4, 2.0]]),
    "agreeing": ([[0.5, 1.0], [0.7, 0.8], [0.4, 1.1]], [[0.5, 1.0], [0.9, 0.6], [0.3, 1.2]]),
    "apart": ([[-4.0, 3.0], [4.0, 3.5]], [[0.4, 0.5], [0.6, 1.0]]),
    # Near in one dimension and far in the other: what is far in one is a far pair in both.
    "half apart": ([[0.0, 4.0], [0.3, -4.0], [1.5, 0.0]], [[1.0, 0.7], [0.4, 0.8], [1.5, 1.0]]),
}
GRID = torch.linspace(-12.0, 12.0, 1201, dtype=torch.float64)


def fused(mean: Tensor, deviation: Tensor) -> Gaussians:
    present = torch.ones(1, len(mean), dtype=torch.bool)
    joint = Hellinger()(Gaussians(mean[None], 2 * deviation.log()[None]), present).components
    return Gaussians(joint.mean[0, 0], joint.log_variance[0, 0])


def moments(mean: Tensor, deviation: Tensor, points: Tensor) -> tuple[Tensor, Tensor]:
    """Density (sum_j sqrt q_j)^2, normalised, at evenly spaced points (N, D)."""
    given = Gaussians(mean[:, None], 2 * deviation.log()[:, None])
    density = torch.exp(0.5 * given.log_prob(points)).sum(0).square()
    density = (density / density.sum())[:, None]
    centre = (density * points).sum(0)
    return centre, (density * (points - centre).square()).sum(0)


@pytest.mark.parametrize("name", EXPERTS)
@pytest.mark.parametrize("dims", [1, 2])
def test_its_moments_are_those_of_the_barycenter(name: str, dims: int) -> None:
    mean, deviation = (torch.tensor(values, dtype=torch.float64)[:, :dims] for values in EXPERTS[name])
    points = torch.cartesian_prod(*[GRID] * dims).view(-1, dims)
    centre, variance = moments(mean, deviation, points)
    joint = fused(mean, deviation)
    torch.testing.assert_close(joint.mean, centre, atol=1e-6, rtol=1e-6)
    torch.testing.assert_close(joint.log_variance.exp(), variance, atol=1e-6, rtol=1e-6)


def test_no_density_is_closer_to_the_experts_in_hellinger_distance() -> None:
    mean, deviation = (torch.tensor(values, dtype=torch.float64)[:, :1] for values in EXPERTS["agreeing"])
    step = GRID[1] - GRID[0]
    each = Gaussians(mean, 2 * deviation.log()).log_prob(GRID[:, None, None]).exp().T
    root = each.sqrt().sum(0)
    best = root.square() / (root.square().sum() * step)

    def distance(density: Tensor) -> Tensor:
        return (density.sqrt() - each.sqrt()).square().sum() * step

    for other in (*each, each.mean(0)):
        assert distance(best) < distance(0.9 * best + 0.1 * other)


def test_far_experts_in_many_dimensions_stay_finite() -> None:
    mean = torch.tensor([-50.0, 0.0, 50.0])[:, None].expand(3, 256).clone().requires_grad_()
    deviation = torch.tensor([0.02, 1.0, 50.0])[:, None].expand(3, 256).clone().requires_grad_()
    joint = fused(mean, deviation)
    (joint.mean + joint.log_variance).sum().backward()
    for values in (joint.mean, joint.log_variance, mean.grad, deviation.grad):
        assert values.isfinite().all()
    # With no overlap left it has the moments of the mixture.
    torch.testing.assert_close(joint.mean, torch.zeros(256), atol=1e-3, rtol=0)
