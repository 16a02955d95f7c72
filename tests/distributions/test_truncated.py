"""Restricted draws against the closed form of the renormalised distribution."""

from __future__ import annotations

import pytest
import torch
from torch.distributions import Categorical, Normal

from amodal.distributions import Binned, RowNoise, Truncated, draw, restrict_outcomes

ROWS = 20_000
INF = float("inf")


def binned(rows: int = ROWS) -> Binned:
    """Three bins, the middle one a single value, with a gap before the last; four cells of unequal chance a bin."""
    lower, upper = torch.tensor([0.0, 0.4, 0.6]), torch.tensor([0.4, 0.4, 1.0])
    logits = torch.tensor([0.5, 0.2, 0.3]).log().expand(rows, -1)
    cells = torch.tensor([[0.1, 0.2, 0.3, 0.4], [0.25, 0.25, 0.25, 0.25], [0.4, 0.3, 0.2, 0.1]]).log()
    return Binned(logits, lower, upper, lambda bins: cells[bins])


def at_rank(rank: float) -> float:
    return float(torch.special.ndtri(torch.tensor(rank, dtype=torch.float64)))


@pytest.mark.parametrize(
    ("rank", "expected"),
    [
        (0.0, 0.0),
        (0.05, 0.025),
        (0.1, 0.05),
        (0.25, 0.05 + 0.1 + 0.075),
        (0.39999, 0.5),
        (0.5, 0.7),
        (0.8, 0.91),
    ],
)
def test_cdf_is_the_sum_of_the_cells_up_to_a_value(rank: float, expected: float) -> None:
    found = binned(1).cdf(torch.tensor([at_rank(rank) if rank else -9.0]))
    assert float(found) == pytest.approx(expected, abs=1e-4)


def test_cdf_counts_a_single_value_from_itself_on() -> None:
    point = binned(1).icdf(torch.tensor([0.6]))
    before = torch.nextafter(point, torch.tensor([-INF]))
    assert float(binned(1).cdf(point)) == pytest.approx(0.7, abs=1e-6)
    assert float(binned(1).cdf(before)) == pytest.approx(0.5, abs=1e-4)


def test_cdf_and_icdf_are_inverse() -> None:
    probability = torch.rand(ROWS).clamp(0.001, 0.499)
    assert torch.allclose(binned().cdf(binned().icdf(probability)).float(), probability, atol=1e-5)


def test_truncated_draws_follow_the_renormalised_distribution() -> None:
    # Ranks 0.2 to 0.3 (mass 0.15 of the first bin) and from 0.4 on without 0.7 to 0.9 (0.2 + 0.12 + 0.03).
    intervals = [(at_rank(0.2), at_rank(0.3)), (at_rank(0.4) - 1e-6, at_rank(0.7)), (at_rank(0.9), INF)]
    lower, upper = (torch.tensor([edges]).expand(ROWS, -1) for edges in zip(*intervals, strict=True))
    restricted = Truncated(binned(), lower, upper)
    masses = torch.tensor([0.15, 0.2 + 0.3 * 0.4, 0.3 * 0.1], dtype=torch.float64)
    assert torch.allclose(restricted.mass[0], masses, atol=1e-4)
    points = draw(restricted, RowNoise(0, torch.arange(ROWS)))
    inside = (points[:, None] >= lower) & (points[:, None] <= upper)
    assert inside.any(1).all()
    shares = inside.double().mean(0)
    expected = masses / masses.sum()
    error = (expected * (1 - expected) / ROWS).sqrt()
    assert ((shares - expected).abs() < 5 * error).all()
    # The single value is drawn exactly, as often as it is probable.
    single = (points == binned(1).icdf(torch.tensor([0.6]))).double().mean()
    assert float(single) == pytest.approx(0.2 / float(masses.sum()), abs=0.02)


def test_a_truncated_normal_has_the_closed_forms_mean() -> None:
    base = Normal(torch.zeros(ROWS), torch.ones(ROWS))
    lower, upper = torch.full((ROWS, 1), 1.0), torch.full((ROWS, 1), 2.0)
    restricted = Truncated(base, lower, upper)
    density = torch.exp(Normal(0.0, 1.0).log_prob(torch.tensor([1.0, 2.0])))
    mass = float(Normal(0.0, 1.0).cdf(torch.tensor(2.0)) - Normal(0.0, 1.0).cdf(torch.tensor(1.0)))
    points = draw(restricted, RowNoise(1, torch.arange(ROWS)))
    assert float(points.mean()) == pytest.approx(float(density[0] - density[1]) / mass, abs=0.01)
    assert float(restricted.log_mass[0].exp()) == pytest.approx(mass, abs=1e-6)
    assert restricted.log_prob(torch.full((ROWS,), 3.0))[0] == -INF


def test_empty_intervals_have_no_mass() -> None:
    restricted = Truncated(binned(2), torch.tensor([[1.0], [-9.0]]), torch.tensor([[0.0], [9.0]]))
    assert restricted.log_mass.tolist() == pytest.approx([-INF, 0.0], abs=1e-6)


def test_restricted_outcomes_are_renormalised() -> None:
    logits = torch.randn(5, 4)
    allowed = torch.tensor([[True, False, True, False]] * 4 + [[False] * 4])
    restricted, log_mass = restrict_outcomes(Categorical(logits=logits), allowed)
    probs = logits.softmax(1) * allowed
    assert torch.allclose(log_mass[:4].exp(), probs[:4].sum(1))
    assert torch.allclose(restricted.probs[:4], (probs / probs.sum(1, keepdim=True))[:4])
    assert log_mass[4] == -INF
