"""Distributions restricted to part of their support."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.distributions import Categorical, Distribution, Normal

from amodal.distributions.binned import inverse_categorical

_LEAST_MASS = 1e-300


class Truncated(Distribution):
    """A distribution of numbers, given that they lie in one of several closed intervals.

    p(x | A) = p(x) 1[x in A] / P(A), sampled by the inverse of its distribution function: no draw is thrown away.

    Args:
        base: distribution of B numbers, with `cdf`, `icdf` and `log_prob`.
        lower: least numbers of each row's intervals, (B, P), in ascending order.
        upper: greatest numbers, (B, P). An interval whose upper end lies below its lower one is empty.
    """

    arg_constraints: dict[str, Any] = {}  # noqa: RUF012 - torch declares it so
    has_rsample = False

    def __init__(self, base: Distribution, lower: Tensor, upper: Tensor) -> None:
        self.base = base
        self.lower = lower
        self.upper = upper
        before = torch.nextafter(lower, torch.full_like(lower, -torch.inf))
        self.below = torch.stack([_cdf(base, edge) for edge in before.unbind(1)], dim=1)
        ends = torch.stack([_cdf(base, edge) for edge in upper.unbind(1)], dim=1)
        self.mass = torch.where(lower <= upper, ends - self.below, 0.0).clamp_min(0.0)
        super().__init__(lower.shape[:1], validate_args=False)

    @property
    def log_mass(self) -> Tensor:
        """Log P(A) of the untruncated distribution, (B,), in nats; -inf where no number can be drawn."""
        return self.mass.sum(1).log()

    def log_prob(self, value: Tensor) -> Tensor:
        """Log probability (B,) of numbers (B,), as `base` has it; -inf outside the intervals."""
        inside = ((value[:, None] >= self.lower) & (value[:, None] <= self.upper)).any(1)
        scores = self.base.log_prob(value) - self.log_mass.to(value.dtype)
        return torch.where(inside, scores, -torch.inf)

    def icdf(self, value: Tensor) -> Tensor:
        """Quantiles (B,) at probabilities (B,) in (0, 1); 0 where no number can be drawn."""
        interval, rest = inverse_categorical(self.mass.clamp_min(_LEAST_MASS).log(), value)
        mass, below, lower, upper = (
            each.gather(1, interval[:, None])[:, 0]
            for each in (self.mass, self.below, self.lower, self.upper)
        )
        tiny = torch.finfo(torch.float64).eps
        points = self.base.icdf((below + rest * mass).clamp(tiny, 1.0 - tiny)).to(lower.dtype)
        # Rounding may carry a point over its interval's end.
        return torch.where(mass > 0, torch.minimum(torch.maximum(points, lower), upper), 0.0)


def _cdf(base: Distribution, value: Tensor) -> Tensor:
    if isinstance(base, Normal):
        base, value = Normal(base.loc.double(), base.scale.double(), validate_args=False), value.double()
    return base.cdf(value)


def restrict_outcomes(distribution: Categorical, allowed: Tensor) -> tuple[Categorical, Tensor]:
    """A categorical distribution given that one of the allowed outcomes occurs, and the log probability (B,) of that.

    Args:
        distribution: over K outcomes.
        allowed: boolean (B, K).

    Example:
        >>> fair = Categorical(probs=torch.full((1, 4), 0.25))
        >>> odd, log_mass = restrict_outcomes(fair, torch.tensor([[False, True, False, True]]))
        >>> odd.probs.tolist(), round(float(log_mass.exp()), 4)
        ([[0.0, 0.5, 0.0, 0.5]], 0.5)
    """
    logits = distribution.logits.masked_fill(~allowed, -torch.inf)
    # A row without any would have no distribution: it keeps its own, and a mass of zero.
    possible = allowed.any(1, keepdim=True)
    restricted = Categorical(logits=torch.where(possible, logits, distribution.logits), validate_args=False)
    return restricted, logits.logsumexp(1)
