"""Quantiles of distributions of numbers."""

from __future__ import annotations

from functools import singledispatch

import torch
from torch import Tensor
from torch.distributions import Distribution, MixtureSameFamily

_BISECTIONS = 40
_WIDTH = 40.0
"""Deviations from a component's mean beyond which no quantile lies."""


@singledispatch
def quantile(distribution: Distribution, probability: Tensor) -> Tensor:
    """Quantiles (B,) of B distributions of numbers at probabilities (B,) in (0, 1).

    Raises:
        NotImplementedError: the distribution has no inverse of its distribution function; add it with
            `quantile.register`.

    Example:
        >>> from torch.distributions import Normal
        >>> quantile(Normal(torch.zeros(1), torch.ones(1)), torch.tensor([0.5])).item()
        0.0
    """
    return distribution.icdf(probability)


@quantile.register
def _(distribution: MixtureSameFamily, probability: Tensor) -> Tensor:
    components = distribution.component_distribution
    reach = _WIDTH * components.stddev
    low, high = (components.mean - reach).amin(-1), (components.mean + reach).amax(-1)
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        is_above = distribution.cdf(middle) >= probability
        low, high = torch.where(is_above, low, middle), torch.where(is_above, middle, high)
    return (low + high) / 2
