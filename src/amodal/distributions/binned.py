"""Distribution of a standard normal quantile over bins of its rank, and finer cells within a bin."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.distributions import Distribution

from amodal.distributions.noise import RowNoise


class Binned(Distribution):
    """x = Phi^-1(r) of a rank r in [0, 1] with p(r) = p(bin) p(cell | bin), uniform within a cell.

    A bin of no width is a single value, which is drawn exactly. `log_prob` is the probability of a value's cell, not a
    density: it is at most 0, and its gradient is bounded, however exactly a context determines the number. A density
    and its gradients would grow without bound.

    Args:
        logits: of the bins, (B, K).
        lower: least rank of each bin, ascending, (K,).
        upper: greatest rank of each bin, (K,); equal to `lower` for a bin of one value. Between the bins may be gaps.
        cell_logits: called with bins (B,), gives the logits (B, R) of the R equally wide cells of each.
    """

    arg_constraints: dict[str, Any] = {}  # noqa: RUF012 - torch declares it so
    has_rsample = False

    def __init__(
        self, logits: Tensor, lower: Tensor, upper: Tensor, cell_logits: Callable[[Tensor], Tensor]
    ) -> None:
        self.logits = logits
        self.lower = lower
        self.upper = upper
        self.cell_logits = cell_logits
        super().__init__(logits.shape[:1], validate_args=False)

    def log_prob(self, value: Tensor) -> Tensor:
        """Log probability (B,) of the cells of values (B,), in nats; a value in no bin counts to the next one."""
        bins = bins_of(torch.special.ndtr(value), self.upper)
        return self.logits.float().log_softmax(1).gather(1, bins[:, None])[:, 0] + self.within_log_prob(value)

    def within_log_prob(self, value: Tensor) -> Tensor:
        """Log p(cell | bin) (B,) of values (B,), 0 in a bin of one value."""
        ranks = torch.special.ndtr(value)
        bins = bins_of(ranks, self.upper)
        within = self.cell_logits(bins).float().log_softmax(1)
        width = (self.upper - self.lower)[bins]
        position = (ranks - self.lower[bins]) / width.clamp_min(_SAME_RANK) * within.shape[1]
        cells = position.long().clamp(0, within.shape[1] - 1)
        return torch.where(width > 0, within.gather(1, cells[:, None])[:, 0], 0.0)

    def draw(self, noise: RowNoise) -> Tensor:
        """One value a row (B,), by `icdf` of one stratified number."""
        return self.icdf(noise.stratified())

    def icdf(self, value: Tensor) -> Tensor:
        """Quantiles (B,) at probabilities (B,) in (0, 1)."""
        bins, rest = inverse_categorical(self.logits, value)
        within = self.cell_logits(bins)
        cells, rest = inverse_categorical(within, rest)
        ranks = self.lower[bins] + (cells + rest) / within.shape[1] * (self.upper - self.lower)[bins]
        return _quantiles(ranks)

    def cdf(self, value: Tensor) -> Tensor:
        """Probabilities (B,), float64, of numbers up to values (B,)."""
        ranks = torch.special.ndtr(value.double())
        ends = _quantiles(self.upper)
        probs = self.logits.double().softmax(1)
        # The bins that end before a value, or at it, count with all of their probability.
        passed = torch.searchsorted(ends, value.to(ends.dtype).contiguous(), right=True)
        bins = passed.clamp_max(len(ends) - 1)
        own = probs.gather(1, bins[:, None])[:, 0]
        below = probs.cumsum(1).gather(1, bins[:, None])[:, 0] - own
        lower, width = self.lower.double()[bins], (self.upper - self.lower).double()[bins]
        cells = self.cell_logits(bins).double().softmax(1)
        position = ((ranks - lower) / width.clamp_min(1e-300) * cells.shape[1]).clamp(0.0, cells.shape[1])
        cell = position.long().clamp_max(cells.shape[1] - 1)
        within = cells.cumsum(1) - cells
        inside = (within + (position - cell)[:, None] * cells).gather(1, cell[:, None])[:, 0]
        share = torch.where(width > 0, inside, 0.0)
        return below + own * torch.where(passed == len(ends), 1.0, share)

    def sample(self, sample_shape: torch.Size | list[int] | tuple[int, ...] = ()) -> Tensor:
        """One value a row, from torch's global generator; `sample_shape` must be empty."""
        if tuple(sample_shape):
            raise NotImplementedError("Binned.sample draws one value a row: sample_shape must be empty")
        return self.icdf(torch.rand(len(self.logits), device=self.logits.device))

    @property
    def mode(self) -> Tensor:
        """Middle of the most probable bin, (B,)."""
        bins = self.logits.argmax(1)
        return _quantiles((self.lower[bins] + self.upper[bins]) / 2)


_SAME_RANK = 1e-6
"""Ranks closer than this are equal: those of one value may differ by rounding."""
_LAST_QUANTILE = 5.199
"""Quantile of the least and greatest number, as scikit-learn's `QuantileTransformer` clips them."""


def bins_of(ranks: Tensor, upper: Tensor) -> Tensor:
    """The first bins (B,) whose greatest ranks (K,) are at least these ranks (B,), or the last bin."""
    return torch.searchsorted(upper, ranks.contiguous() - _SAME_RANK).clamp_max(len(upper) - 1)


def inverse_categorical(logits: Tensor, uniform: Tensor) -> tuple[Tensor, Tensor]:
    """The outcomes (B,) at cumulative probabilities (B,), and how far through the outcome's own, (B,) in [0, 1).

    Args:
        logits: (B, K).
        uniform: (B,), in (0, 1).
    """
    probs = logits.double().softmax(1)
    cumulative = probs.cumsum(1)
    outcome = torch.searchsorted(cumulative, uniform.double()[:, None])[:, 0].clamp_max(logits.shape[1] - 1)
    own = probs.gather(1, outcome[:, None])[:, 0].clamp_min(1e-300)
    below = cumulative.gather(1, outcome[:, None])[:, 0] - own
    return outcome, ((uniform.double() - below) / own).clamp(0.0, 1.0 - 1e-9)


def _quantiles(ranks: Tensor) -> Tensor:
    return torch.special.ndtri(ranks.double()).clamp(-_LAST_QUANTILE, _LAST_QUANTILE).float()
