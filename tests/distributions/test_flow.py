"""Flows whose trajectories, samples and densities are known in closed form."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from torch import Tensor
from torch.distributions import Independent, MultivariateNormal, Normal

from amodal.distributions import FewStepFlow, Flow, RowNoise, draw

MEAN, SCALE = torch.tensor([1.5, -0.5, 0.0]), torch.tensor([0.4, 2.0, 1.0])
TARGET = Independent(Normal(MEAN, SCALE), 1)
# Symmetric off its diagonal, so that Hutchinson's estimate of its trace has variance.
MATRIX = torch.tensor([[0.3, 0.4, 0.0], [0.4, -0.2, 0.3], [0.0, 0.3, 0.1]])


def curved(points: Tensor, times: Tensor) -> Tensor:
    """The optimum of flow matching for N(MEAN, SCALE^2): x_1 = MEAN + SCALE x_0, along curved trajectories."""
    time = times[..., None]
    variance = (1 - time) ** 2 + (time * SCALE) ** 2
    change = time * SCALE**2 - (1 - time)
    return MEAN + change / variance * (points - time * MEAN)


def straight(points: Tensor, times: Tensor) -> Tensor:
    """The same map along straight trajectories."""
    time = times[..., None]
    return MEAN + (SCALE - 1) * (points - time * MEAN) / (1 + time * (SCALE - 1))


def linear(points: Tensor, times: Tensor) -> Tensor:
    """x_1 = exp(MATRIX) x_0."""
    return points @ MATRIX.T


def flow(velocity=curved, rows: int = 1, steps: int = 64, **more: Tensor) -> Flow:
    return Flow(velocity, rows, 3, steps=steps, **more)


def starts(rows: int = 50) -> Tensor:
    return torch.randn(1, rows, 3, generator=torch.Generator().manual_seed(0))


def test_samples_have_the_targets_moments() -> None:
    drawn = draw(flow(rows=20_000, steps=16), RowNoise(0, torch.arange(20_000)))
    assert drawn.shape == (20_000, 3)
    torch.testing.assert_close(drawn.mean(0), MEAN, atol=0.05, rtol=0)
    torch.testing.assert_close(drawn.std(0), SCALE, atol=0.05, rtol=0)


def test_samples_of_torchs_generator_have_them_too() -> None:
    torch.manual_seed(0)
    drawn = flow(rows=4, steps=16).sample((100, 50))
    assert drawn.shape == (100, 50, 4, 3)
    torch.testing.assert_close(drawn.mean((0, 1, 2)), MEAN, atol=0.06, rtol=0)
    torch.testing.assert_close(drawn.std((0, 1, 2)), SCALE, atol=0.06, rtol=0)


def test_the_trajectory_ends_at_the_exact_map() -> None:
    trajectory = flow(rows=50).trajectory(starts())
    assert len(trajectory) == 65
    assert torch.equal(trajectory[0], starts())
    torch.testing.assert_close(trajectory[-1], MEAN + SCALE * starts(), atol=2e-3, rtol=0)


def test_the_solver_is_of_second_order() -> None:
    errors = [
        (flow(rows=50, steps=steps).trajectory(starts())[-1] - (MEAN + SCALE * starts())).abs().max()
        for steps in (8, 16, 32)
    ]
    for coarse, fine in pairwise(errors):
        assert 3.4 < coarse / fine < 4.6


def test_the_density_is_exact_where_the_jacobian_is_diagonal() -> None:
    points = MEAN + SCALE * starts()[0]
    exact = TARGET.log_prob(points)
    errors = [(flow(rows=50, steps=steps).log_prob(points) - exact).abs().max() for steps in (16, 64)]
    assert errors[1] < 5e-3
    # The remaining error is the solver's, and falls by its order.
    assert errors[1] < errors[0] / 10


def test_the_density_is_unbiased_elsewhere() -> None:
    rows = 4_000
    point = torch.tensor([0.5, -1.0, 0.8])
    map_ = torch.linalg.matrix_exp(MATRIX)
    exact = MultivariateNormal(torch.zeros(3), map_ @ map_.T).log_prob(point)
    scores = flow(linear, rows, steps=8).log_prob(point.expand(rows, 3))
    assert scores.std() > 0.02, "an estimate"
    # Four standard errors, and the solver's error in eight steps.
    assert (scores.mean() - exact).abs() < 4 * scores.std() / rows**0.5 + 5e-3


def test_several_points_a_row_are_scored_as_each_alone() -> None:
    points = MEAN + SCALE * starts(10).view(5, 2, 3)
    several = flow(linear, rows=2, steps=4).log_prob(points)
    assert several.shape == (5, 2)
    for number, some in enumerate(points):
        torch.testing.assert_close(several[number], flow(linear, rows=2, steps=4).log_prob(some))


def test_a_rows_sample_and_log_prob_are_the_same_in_any_batch() -> None:
    rows, part = torch.arange(100, 120), torch.tensor([7, 3])
    points = MEAN + SCALE * starts(20)[0]
    whole, some = (flow(linear, len(numbers), steps=4, row_numbers=numbers) for numbers in (rows, rows[part]))
    torch.testing.assert_close(whole.draw(RowNoise(1, rows))[part], some.draw(RowNoise(1, rows[part])))
    torch.testing.assert_close(whole.log_prob(points)[part], some.log_prob(points[part]))
    repeated = whole.log_prob(points[:1].expand(20, 3))
    assert repeated.std() > 0.01, "each row has its own probes"


@pytest.mark.parametrize("steps", [1, 2, 3])
@pytest.mark.parametrize("kind", [FewStepFlow, Flow])
def test_a_straight_trajectory_needs_one_step(kind: type[Flow], steps: int) -> None:
    trajectory = kind(straight, 50, 3, steps=steps).trajectory(starts())
    assert len(trajectory) == steps + 1
    torch.testing.assert_close(trajectory[-1], MEAN + SCALE * starts())


def test_a_few_step_flow_is_sampled_and_has_no_density() -> None:
    rows = torch.arange(6)
    few = FewStepFlow(straight, 6, 3, steps=2)
    torch.testing.assert_close(draw(few, RowNoise(2, rows)), MEAN + SCALE * RowNoise(2, rows).normal(3))
    with pytest.raises(NotImplementedError, match="density"):
        few.log_prob(torch.zeros(6, 3))
