"""Normal noise of one scale."""

from __future__ import annotations

import math
from typing import Any

from torch import Tensor
from torch.distributions import Distribution
from torch.nn import functional


class IsotropicNormal(Distribution):
    """Independent normal numbers, all of one scale: noise on a picture, a spectrogram or an embedding.

    The same as `Independent(Normal(mean, scale.expand_as(mean)), n)`, whose density takes a division, a logarithm and
    a gradient for every number; here it takes one of each.

    Args:
        mean: (B, ...).
        scale: positive, a scalar tensor.

    Example:
        >>> import torch
        >>> noise = IsotropicNormal(torch.zeros(2, 3), torch.tensor(1.0))
        >>> noise.log_prob(torch.zeros(2, 3))
        tensor([-2.7568, -2.7568])
    """

    arg_constraints: dict[str, Any] = {}  # noqa: RUF012 - torch declares it so

    def __init__(self, mean: Tensor, scale: Tensor) -> None:
        self._mean = mean
        self.scale = scale
        super().__init__(mean.shape[:1], mean.shape[1:], validate_args=False)

    @property
    def mean(self) -> Tensor:
        """The mean, which is the mode too."""
        return self._mean

    mode = mean

    def log_prob(self, value: Tensor) -> Tensor:
        """Log density (B,) of values (B, ...), in nats."""
        # One pass over the cells in either direction, where a difference and its square take three each.
        squared = functional.mse_loss(self._mean, value, reduction="none").flatten(1).sum(1)
        size = self.event_shape.numel()
        return -0.5 * squared / self.scale**2 - size * (self.scale.log() + 0.5 * math.log(2 * math.pi))
