"""Steps of fixed-step solvers of ordinary differential equations dx/dt = v(x, t)."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

Field = Callable[[Tensor, float], Tensor]
"""v(x, t), of the shape of x."""


def euler_step(field: Field, x: Tensor, t: float, h: float) -> Tensor:
    """X + h v(x, t)."""
    return x + h * field(x, t)


def heun_step(field: Field, x: Tensor, t: float, h: float) -> Tensor:
    """X + h/2 (v(x, t) + v(x + h v(x, t), t + h)), of second order; backwards in time with h < 0."""
    first = field(x, t)
    return x + 0.5 * h * (first + field(x + h * first, t + h))
