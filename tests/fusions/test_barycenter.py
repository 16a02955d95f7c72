"""Wasserstein barycenter, against its formula and averaged quantiles."""

from __future__ import annotations

import torch
from torch.distributions import Normal

from amodal.distributions import Gaussians
from amodal.fusions import Barycenter
from tests.contracts.test_fusions import experts, present


def test_mean_and_deviation_are_averages() -> None:
    given, shown = experts(), present()
    joint = Barycenter()(given, shown).components
    deviation = torch.exp(0.5 * given.log_variance)
    for row in range(5):
        torch.testing.assert_close(joint.mean[row, 0], given.mean[row, shown[row]].mean(0))
        expected = deviation[row, shown[row]].mean(0)
        torch.testing.assert_close(joint.log_variance[row, 0].mul(0.5).exp(), expected)


def test_in_one_dimension_quantiles_are_averaged() -> None:
    # On the line the barycenter's quantile function is the mean of the experts' ones, for any distributions.
    mean, deviation = torch.tensor([-2.0, 0.5, 4.0]), torch.tensor([0.3, 1.0, 2.5])
    given = Gaussians(mean[None, :, None], 2 * deviation.log()[None, :, None])
    joint = Barycenter()(given, torch.ones(1, 3, dtype=torch.bool)).components
    levels = torch.linspace(0.01, 0.99, 99)
    averaged = Normal(mean[:, None], deviation[:, None]).icdf(levels).mean(0)
    own = Normal(joint.mean.squeeze(), joint.log_variance.squeeze().mul(0.5).exp()).icdf(levels)
    torch.testing.assert_close(own, averaged)
