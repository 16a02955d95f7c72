from __future__ import annotations

import torch
from torch.distributions import Independent, Normal

from amodal.distributions import IsotropicNormal


def test_density_and_gradients_are_those_of_independent_normals() -> None:
    mean = torch.randn(5, 3, 4, dtype=torch.float64, requires_grad=True)
    scale = torch.tensor(0.3, dtype=torch.float64, requires_grad=True)
    value = torch.randn(5, 3, 4, dtype=torch.float64)

    ours = IsotropicNormal(mean, scale)
    theirs = Independent(Normal(mean, scale.expand_as(mean)), 2)
    assert ours.batch_shape == theirs.batch_shape
    assert ours.event_shape == theirs.event_shape
    torch.testing.assert_close(ours.mean, theirs.mean)
    torch.testing.assert_close(ours.log_prob(value), theirs.log_prob(value))
    for parameter in (mean, scale):
        (mine,) = torch.autograd.grad(ours.log_prob(value).sum(), parameter, retain_graph=True)
        (expected,) = torch.autograd.grad(theirs.log_prob(value).sum(), parameter, retain_graph=True)
        torch.testing.assert_close(mine, expected)
