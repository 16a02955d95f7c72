"""What every fusion rule is: from experts to a joint posterior."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

from amodal.distributions import GaussianMixture, Gaussians


class Fusion(nn.Module, ABC):
    """Joins one Gaussian expert a column to the joint posterior q(z | what is present).

    Every rule keeps this contract: an absent expert has no effect and exactly zero gradient, even where its
    values are NaN; a row with nothing present gets the prior, a standard normal; the order of the columns does
    not matter.
    """

    def forward(self, experts: Gaussians, present: Tensor) -> GaussianMixture:
        """Join the present ones of experts of shape (B, M, D), `present` being boolean (B, M), row by row."""
        # Absent values are replaced before any arithmetic: zero times NaN would still be NaN.
        shown = present[:, :, None]
        known = Gaussians(
            torch.where(shown, experts.mean, 0.0), torch.where(shown, experts.log_variance, 0.0)
        )
        return self.join(known, present)

    def conditional(self, experts: Gaussians, present: Tensor) -> GaussianMixture:
        """q(z | what is given), which other cells are drawn from: the joint posterior, if a rule has no surer one."""
        return self(experts, present)

    @abstractmethod
    def join(self, experts: Gaussians, present: Tensor) -> GaussianMixture:
        """Join experts of which the absent ones are standard normals.

        Args:
            experts: of shape (B, M, D), finite everywhere.
            present: boolean (B, M).

        Returns:
            One mixture a row; the standard normal for a row with nothing present.
        """


def entering(present: Tensor) -> Tensor:
    """Who is averaged, boolean (B, M): the present ones; of a row with none all, which `Fusion` made the prior."""
    return present | ~present.any(1, keepdim=True)
