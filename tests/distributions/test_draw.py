from __future__ import annotations

import pytest
import torch
from torch.distributions import (
    Beta,
    Categorical,
    Independent,
    MixtureSameFamily,
    MultivariateNormal,
    Normal,
)

from amodal.distributions import RowNoise, draw

COUNT = 20_000


def noise() -> RowNoise:
    return RowNoise(0, torch.arange(COUNT))


def test_normal() -> None:
    drawn = draw(Independent(Normal(torch.full((COUNT, 2), 3.0), 0.5), 1), noise())
    assert drawn.shape == (COUNT, 2)
    assert drawn.mean().item() == pytest.approx(3.0, abs=0.02)
    assert drawn.std().item() == pytest.approx(0.5, abs=0.02)


def test_categorical() -> None:
    probabilities = torch.tensor([0.1, 0.6, 0.3])
    drawn = draw(Categorical(probabilities.expand(COUNT, -1)), noise())
    torch.testing.assert_close(torch.bincount(drawn) / COUNT, probabilities, rtol=0, atol=0.02)


def test_mixture_of_correlated_normals() -> None:
    covariance = torch.tensor([[1.0, 0.8], [0.8, 2.0]])
    parts = MultivariateNormal(torch.tensor([[9.0, 9.0], [0.0, 1.0]]), covariance)
    mixture = MixtureSameFamily(Categorical(torch.tensor([0.2, 0.8])), parts).expand([COUNT])
    drawn = draw(mixture, noise())
    near = drawn[drawn.sum(1) < 9.0]
    assert len(near) / COUNT == pytest.approx(0.8, abs=0.02)
    torch.testing.assert_close(near.mean(0), torch.tensor([0.0, 1.0]), atol=0.05, rtol=0)
    torch.testing.assert_close(near.T.cov(), covariance, atol=0.1, rtol=0)


def test_an_unregistered_distribution_is_refused() -> None:
    with pytest.raises(NotImplementedError, match="Beta"):
        draw(Beta(torch.ones(2), torch.ones(2)), RowNoise(0, torch.arange(2)))
