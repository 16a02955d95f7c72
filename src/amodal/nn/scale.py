"""The noise scale of a likelihood."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn


class LearnedScale(nn.Module):
    """One positive number, learned, that stays above a floor.

    Without the floor a column that can be reconstructed exactly drives its scale to zero and its expert
    to certainty.

    Args:
        start: the scale before training.
        floor: the scale can come near this, and not below.
    """

    def __init__(self, start: float, floor: float) -> None:
        super().__init__()
        self.floor = floor
        self.log_excess = nn.Parameter(torch.tensor(math.log(start - floor)))

    def forward(self) -> Tensor:
        """The scale, a scalar tensor."""
        return self.floor + self.log_excess.exp()
