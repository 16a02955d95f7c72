"""A continuous flow from noise to points, given by its velocity."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.distributions import Distribution

from amodal.distributions.noise import RowNoise

Velocity = Callable[[Tensor, Tensor], Tensor]
"""Velocities (K, B, D) of points (K, B, D) at times (K, B)."""

_PROBES = 4


class Flow(Distribution):
    """Points that standard normal noise becomes when it moves with a velocity from time 0 to time 1.

    Flow matching (Lipman et al., arXiv 2210.02747). Paths are followed by Heun's method, two velocities a step.

    Args:
        velocity: of B rows.
        rows: B.
        size: D.
        steps: of the solver.
        device: where the velocity computes.
        numbers: integer (B,), the rows' numbers, on which `log_prob`'s probes depend; 0 to B-1 by default.
    """

    arg_constraints: dict[str, Any] = {}  # noqa: RUF012 - torch declares it so
    has_rsample = False

    def __init__(
        self,
        velocity: Velocity,
        rows: int,
        size: int,
        *,
        steps: int,
        device: torch.device | None = None,
        numbers: Tensor | None = None,
    ) -> None:
        self.velocity = velocity
        self.steps = steps
        self.device = device
        self.numbers = torch.arange(rows, device=device) if numbers is None else numbers
        super().__init__(torch.Size([rows]), torch.Size([size]), validate_args=False)

    def draw(self, noise: RowNoise) -> Tensor:
        """One point a row, (B, D)."""
        return self._moved(noise.normal(self.event_shape[0])[None])[0]

    def sample(self, sample_shape: torch.Size | list[int] | tuple[int, ...] = ()) -> Tensor:
        """Points with torch's global generator, (*sample_shape, B, D)."""
        shape = torch.Size(sample_shape)
        start = torch.randn(shape.numel(), *self.batch_shape, *self.event_shape, device=self.device)
        return self._moved(start).view(*shape, *self.batch_shape, *self.event_shape)

    def _moved(self, points: Tensor) -> Tensor:
        return self.path(points)[-1]

    @torch.no_grad()
    def path(self, points: Tensor) -> list[Tensor]:
        """Where noise (K, B, D) is after 0, 1, ... and all steps."""
        step = 1.0 / self.steps
        places = [points]
        for number in range(self.steps):
            first = self.velocity(points, self._times(points, number * step))
            ahead = self.velocity(points + step * first, self._times(points, (number + 1) * step))
            points = points + 0.5 * step * (first + ahead)
            places.append(points)
        return places

    def log_prob(self, value: Tensor) -> Tensor:
        """Log density (B,) or (K, B) of points (B, D) or (K, B, D), by the flow's way back to the noise.

        An estimate: the divergence of the velocity is Hutchinson's, with Rademacher probes that are the same for
        the same row (Grathwohl et al., arXiv 1810.01367). It is exact where the velocity's Jacobian is diagonal.
        """
        points = value if value.dim() == 3 else value[None]
        noise = RowNoise(0, self.numbers)
        gained = torch.zeros(points.shape[:2], device=points.device)
        step = 1.0 / self.steps
        for number in reversed(range(self.steps)):
            probes = 2.0 * (noise.uniform(_PROBES, points.shape[2]) < 0.5).transpose(0, 1) - 1.0
            later, spread_later = self._velocity_and_divergence(points, (number + 1) * step, probes)
            before, spread_before = self._velocity_and_divergence(
                points - step * later, number * step, probes
            )
            points = points - 0.5 * step * (later + before)
            gained = gained + 0.5 * step * (spread_later + spread_before)
        base = -0.5 * (points.square() + math.log(2.0 * math.pi)).sum(-1)
        scores = base - gained
        return scores if value.dim() == 3 else scores[0]

    def _velocity_and_divergence(self, points: Tensor, time: float, probes: Tensor) -> tuple[Tensor, Tensor]:
        with torch.enable_grad():
            points = points.detach().requires_grad_()
            velocity = self.velocity(points, self._times(points, time))
            spread = torch.zeros(points.shape[:2], device=points.device)
            for number, probe in enumerate(probes):
                (product,) = torch.autograd.grad(
                    velocity, points, probe.expand_as(points), retain_graph=number + 1 < len(probes)
                )
                spread = spread + (product * probe).sum(-1)
        return velocity.detach(), spread / len(probes)

    @staticmethod
    def _times(points: Tensor, time: float) -> Tensor:
        return torch.full(points.shape[:2], time, device=points.device)


class FewStepFlow(Flow):
    """The same in a few straight jumps, whose velocities are those of a path's parts and not of its points.

    Drawn from, and not scored: a jump has no density of its own that is cheap.
    """

    @torch.no_grad()
    def path(self, points: Tensor) -> list[Tensor]:
        step = 1.0 / self.steps
        places = [points]
        for number in range(self.steps):
            points = points + step * self.velocity(points, self._times(points, number * step))
            places.append(points)
        return places

    def log_prob(self, value: Tensor) -> Tensor:
        raise NotImplementedError("jumps are drawn from; the flow they were learned from has densities")
