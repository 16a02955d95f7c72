"""Interface of fusion rules."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

from amodal.distributions import GaussianMixture, Gaussians


class Fusion(nn.Module, ABC):
    """Joint posterior q(z | x_S) of one Gaussian expert q_j(z | x_j) for each present column j in S.

    Contract of every rule: an absent expert has no effect and exactly zero gradient, even where its values are NaN;
    a row with nothing present gets the prior N(0, I); the order of the columns does not matter.
    """

    def forward(self, experts: Gaussians, present: Tensor) -> GaussianMixture:
        """Join the present experts of each row.

        Args:
            experts: (B, M, D).
            present: boolean (B, M).
        """
        # Absent values are replaced before any arithmetic: zero times NaN would still be NaN.
        mask = present[:, :, None]
        finite = Gaussians(torch.where(mask, experts.mean, 0.0), torch.where(mask, experts.log_variance, 0.0))
        return self.join(finite, present)

    def conditional(self, experts: Gaussians, present: Tensor) -> GaussianMixture:
        """Distribution of z from which other columns are completed; by default the joint posterior."""
        return self(experts, present)

    @abstractmethod
    def join(self, experts: Gaussians, present: Tensor) -> GaussianMixture:
        """Join experts, of which the absent ones are standard normal.

        Args:
            experts: (B, M, D), finite everywhere.
            present: boolean (B, M).

        Returns:
            One mixture a row; the standard normal for a row with nothing present.
        """


def present_or_all(present: Tensor) -> Tensor:
    """Mask (B, M) of the experts to average: the present ones, or all, each the prior, in a row with none."""
    return present | ~present.any(1, keepdim=True)
