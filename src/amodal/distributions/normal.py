"""Isotropic normal distribution."""

from __future__ import annotations

import math
from typing import Any

from torch import Tensor
from torch.distributions import Distribution
from torch.nn import functional


class IsotropicNormal(Distribution):
    """N(x; mean, scale^2 I), the noise of an image, a spectrogram or an embedding.

    log p(x) = -|x - mean|^2 / (2 scale^2) - n log(scale sqrt(2 pi)), for n numbers. Equal to
    `Independent(Normal(mean, scale.expand_as(mean)), ...)`, which takes a division, a logarithm and a gradient for
    every number instead of one of each.

    Args:
        mean: (B, ...).
        scale: positive scalar tensor.

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
        """Mean, which is also the mode."""
        return self._mean

    mode = mean

    def log_prob(self, value: Tensor) -> Tensor:
        """Log density (B,) of values (B, ...) in nats."""
        # mse_loss makes one pass over the cells each way, where a difference and its square make three.
        squared = functional.mse_loss(self._mean, value, reduction="none").flatten(1).sum(1)
        size = self.event_shape.numel()
        return -0.5 * squared / self.scale**2 - size * (self.scale.log() + 0.5 * math.log(2 * math.pi))
