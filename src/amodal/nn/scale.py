"""Learned noise scales of likelihoods."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn


class LearnedScale(nn.Module):
    """A learned positive scale, `floor + exp(log_excess)`.

    Without the floor, a column that can be reconstructed exactly drives its scale to zero and its expert's
    variance with it.

    Args:
        start: initial scale.
        floor: greatest lower bound of the scale.
    """

    def __init__(self, start: float, floor: float) -> None:
        super().__init__()
        self.floor = floor
        self.log_excess = nn.Parameter(torch.tensor(math.log(start - floor)))

    def forward(self) -> Tensor:
        """The scale, a scalar tensor."""
        return self.floor + self.log_excess.exp()
