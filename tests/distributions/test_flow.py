"""Flows whose paths, points and densities are known in closed form."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from torch import Tensor
from torch.distributions import Independent, MultivariateNormal, Normal

from amodal.distributions import FewStepFlow, Flow, RowNoise, draw

MEAN, SCALE = torch.tensor([1.5, -0.5, 0.0]), torch.tensor([0.4, 2.0, 1.0])
TARGET = Independent(Normal(MEAN, SCALE), 1)
# Symmetric off its diagonal, so that an estimate of its trace by random signs is no exact one.
MATRIX = torch.tensor([[0.3, 0.4, 0.0], [0.4, -0.2, 0.3], [0.0, 0.3, 0.1]])


def matched(points: Tensor, times: Tensor) -> Tensor:
    """What flow matching learns of N(MEAN, SCALE^2): noise x becomes MEAN + SCALE x, along a bent path."""
    time = times[..., None]
    variance = (1 - time) ** 2 + (time * SCALE) ** 2
    change = time * SCALE**2 - (1 - time)
    return MEAN + change / variance * (points - time * MEAN)


def straight(points: Tensor, times: Tensor) -> Tensor:
    """The same map, each point moving evenly."""
    time = times[..., None]
    return MEAN + (SCALE - 1) * (points - time * MEAN) / (1 + time * (SCALE - 1))


def turned(points: Tensor, times: Tensor) -> Tensor:
    """Noise x becomes exp(MATRIX) x."""
    return points @ MATRIX.T


def flow(velocity=matched, rows: int = 1, steps: int = 64, **more: Tensor) -> Flow:
    return Flow(velocity, rows, 3, steps=steps, **more)


def starts(rows: int = 50) -> Tensor:
    return torch.randn(1, rows, 3, generator=torch.Generator().manual_seed(0))


def test_draws_have_the_targets_moments() -> None:
    drawn = draw(flow(rows=20_000, steps=16), RowNoise(0, torch.arange(20_000)))
    assert drawn.shape == (20_000, 3)
    torch.testing.assert_close(drawn.mean(0), MEAN, atol=0.05, rtol=0)
    torch.testing.assert_close(drawn.std(0), SCALE, atol=0.05, rtol=0)


def test_samples_of_torchs_generator_do_too() -> None:
    torch.manual_seed(0)
    drawn = flow(rows=4, steps=16).sample((100, 50))
    assert drawn.shape == (100, 50, 4, 3)
    torch.testing.assert_close(drawn.mean((0, 1, 2)), MEAN, atol=0.06, rtol=0)
    torch.testing.assert_close(drawn.std((0, 1, 2)), SCALE, atol=0.06, rtol=0)


def test_each_point_goes_where_it_must() -> None:
    path = flow(rows=50).trajectory(starts())
    assert len(path) == 65
    assert torch.equal(path[0], starts())
    torch.testing.assert_close(path[-1], MEAN + SCALE * starts(), atol=2e-3, rtol=0)


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
    # What is left is the solver's, and falls by its order.
    assert errors[1] < errors[0] / 10


def test_elsewhere_the_density_is_exact_on_average() -> None:
    rows = 4_000
    point = torch.tensor([0.5, -1.0, 0.8])
    map_ = torch.linalg.matrix_exp(MATRIX)
    exact = MultivariateNormal(torch.zeros(3), map_ @ map_.T).log_prob(point)
    scores = flow(turned, rows, steps=8).log_prob(point.expand(rows, 3))
    assert scores.std() > 0.02, "an estimate"
    # Four standard errors, and what eight steps leave.
    assert (scores.mean() - exact).abs() < 4 * scores.std() / rows**0.5 + 5e-3


def test_many_points_a_row_are_scored_as_each() -> None:
    points = MEAN + SCALE * starts(10).view(5, 2, 3)
    several = flow(turned, rows=2, steps=4).log_prob(points)
    assert several.shape == (5, 2)
    for number, some in enumerate(points):
        torch.testing.assert_close(several[number], flow(turned, rows=2, steps=4).log_prob(some))


def test_a_rows_draw_and_score_are_the_same_in_any_batch() -> None:
    rows, part = torch.arange(100, 120), torch.tensor([7, 3])
    points = MEAN + SCALE * starts(20)[0]
    whole, some = (flow(turned, len(numbers), steps=4, row_numbers=numbers) for numbers in (rows, rows[part]))
    torch.testing.assert_close(whole.draw(RowNoise(1, rows))[part], some.draw(RowNoise(1, rows[part])))
    torch.testing.assert_close(whole.log_prob(points)[part], some.log_prob(points[part]))
    unalike = whole.log_prob(points[:1].expand(20, 3))
    assert unalike.std() > 0.01, "rows have probes of their own"


@pytest.mark.parametrize("steps", [1, 2, 3])
@pytest.mark.parametrize("kind", [FewStepFlow, Flow])
def test_a_straight_path_needs_one_jump(kind: type[Flow], steps: int) -> None:
    moved = kind(straight, 50, 3, steps=steps).trajectory(starts())
    assert len(moved) == steps + 1
    torch.testing.assert_close(moved[-1], MEAN + SCALE * starts())


def test_jumps_draw_with_a_rows_noise_and_have_no_density() -> None:
    rows = torch.arange(6)
    few = FewStepFlow(straight, 6, 3, steps=2)
    torch.testing.assert_close(draw(few, RowNoise(2, rows)), MEAN + SCALE * RowNoise(2, rows).normal(3))
    with pytest.raises(NotImplementedError, match="density"):
        few.log_prob(torch.zeros(6, 3))
