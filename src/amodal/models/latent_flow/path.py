"""Probability paths of flow matching."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class LinearPath:
    """The linear (conditional optimal-transport) path from noise x_0 to data x_1, at times t in [0, 1].

    x_t = (1 - t) x_0 + t x_1, whose velocity is dx_t/dt = x_1 - x_0 (Lipman et al., arXiv 2210.02747, with
    sigma_min = 0).

    Attributes:
        x_0: noise (..., D).
        x_1: data (..., D).

    Example:
        >>> import torch
        >>> path = LinearPath(torch.zeros(1, 2), torch.ones(1, 2))
        >>> path.point(torch.tensor([0.25])), path.velocity
        (tensor([[0.2500, 0.2500]]), tensor([[1., 1.]]))
    """

    x_0: Tensor
    x_1: Tensor

    @property
    def velocity(self) -> Tensor:
        """dx_t/dt (..., D), the same at every time."""
        return self.x_1 - self.x_0

    def point(self, t: Tensor) -> Tensor:
        """x_t (..., D) at times t (...)."""
        return self.x_0 + t[..., None] * self.velocity
