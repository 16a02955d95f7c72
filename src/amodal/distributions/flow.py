"""Continuous normalising flows, given by a velocity."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.distributions import Distribution

from amodal.distributions.noise import RowNoise
from amodal.distributions.solvers import euler_step, heun_step

Velocity = Callable[[Tensor, Tensor], Tensor]
"""Velocities (K, B, D) of points (K, B, D) at times (K, B)."""

_PROBES = 4


class Flow(Distribution):
    """Distribution of x_1, where dx/dt = v(x, t) carries x_0 ~ N(0, I) from t = 0 to t = 1.

    Its density is log p(x_1) = log N(x_0; 0, I) - int_0^1 div v(x_t, t) dt (Chen et al., arXiv 1806.07366). The
    velocity is learned by flow matching, see `amodal.models.latent_flow.losses.flow_matching_loss`. Solved by Heun's
    method, two evaluations of the velocity a step.

    Args:
        velocity: v, for B rows.
        rows: B.
        size: D.
        steps: solver steps from 0 to 1.
        device: device of the velocity.
        row_numbers: integer (B,), which seed the probes of `log_prob`; 0 to B-1 by default.
    """

    arg_constraints: dict[str, Any] = {}  # noqa: RUF012 - torch declares it so
    has_rsample = False
    solver_step = staticmethod(heun_step)

    def __init__(
        self,
        velocity: Velocity,
        rows: int,
        size: int,
        *,
        steps: int,
        device: torch.device | None = None,
        row_numbers: Tensor | None = None,
    ) -> None:
        self.velocity = velocity
        self.steps = steps
        self.device = device
        self.row_numbers = torch.arange(rows, device=device) if row_numbers is None else row_numbers
        super().__init__(torch.Size([rows]), torch.Size([size]), validate_args=False)

    def draw(self, noise: RowNoise) -> Tensor:
        """One point a row, (B, D)."""
        return self.trajectory(noise.normal(self.event_shape[0])[None])[-1][0]

    def sample(self, sample_shape: torch.Size | list[int] | tuple[int, ...] = ()) -> Tensor:
        """Points (*sample_shape, B, D) from torch's global generator."""
        shape = torch.Size(sample_shape)
        x_0 = torch.randn(shape.numel(), *self.batch_shape, *self.event_shape, device=self.device)
        return self.trajectory(x_0)[-1].view(*shape, *self.batch_shape, *self.event_shape)

    @torch.no_grad()
    def trajectory(self, x_0: Tensor) -> list[Tensor]:
        """x_t (K, B, D) after 0, 1, ... and all solver steps, from x_0 (K, B, D)."""
        step = 1.0 / self.steps
        points = [x_0]
        for number in range(self.steps):
            points.append(self.solver_step(self._field, points[-1], number * step, step))
        return points

    def log_prob(self, value: Tensor) -> Tensor:
        """Log density (B,) or (K, B) in nats of points (B, D) or (K, B, D).

        An estimate: the divergence is Hutchinson's, with Rademacher probes that depend on the row's number alone
        (Grathwohl et al., arXiv 1810.01367). Exact where the velocity's Jacobian is diagonal.
        """
        points = value if value.dim() == 3 else value[None]
        noise = RowNoise(0, self.row_numbers)
        # The last coordinate accumulates the integral of the divergence, from 1 back to 0.
        state = torch.cat([points, points.new_zeros(*points.shape[:2], 1)], dim=2)
        step = 1.0 / self.steps
        for number in reversed(range(self.steps)):
            probes = 2.0 * (noise.uniform(_PROBES, points.shape[2]) < 0.5).transpose(0, 1) - 1.0
            field = partial(self._augmented_field, probes=probes)
            state = heun_step(field, state, (number + 1) * step, -step)
        x_0, divergence = state[..., :-1], state[..., -1]
        scores = -0.5 * (x_0.square() + math.log(2.0 * math.pi)).sum(-1) + divergence
        return scores if value.dim() == 3 else scores[0]

    def _field(self, points: Tensor, time: float) -> Tensor:
        return self.velocity(points, torch.full(points.shape[:2], time, device=points.device))

    def _augmented_field(self, state: Tensor, time: float, probes: Tensor) -> Tensor:
        """Velocity and, as one more coordinate, the estimate of its divergence."""
        with torch.enable_grad():
            points = state[..., :-1].detach().requires_grad_()
            velocity = self._field(points, time)
            divergence = torch.zeros(points.shape[:2], device=points.device)
            for number, probe in enumerate(probes):
                (product,) = torch.autograd.grad(
                    velocity, points, probe.expand_as(points), retain_graph=number + 1 < len(probes)
                )
                divergence = divergence + (product * probe).sum(-1)
        return torch.cat([velocity.detach(), divergence[..., None] / len(probes)], dim=2)


class FewStepFlow(Flow):
    """A flow distilled to a few Euler steps: its velocity is the mean velocity over a step.

    It can be drawn from, and has no tractable density.
    """

    solver_step = staticmethod(euler_step)

    def log_prob(self, value: Tensor) -> Tensor:
        raise NotImplementedError(
            "a FewStepFlow has no density; score points by the flow it was distilled from"
        )
