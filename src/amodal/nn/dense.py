"""Multilayer perceptrons."""

from __future__ import annotations

from itertools import pairwise

from torch import nn


class Dense(nn.Sequential):
    """Linear layers with GELU between them, none after the last.

    Args:
        sizes: layer sizes, from input to output.
    """

    def __init__(self, *sizes: int) -> None:
        layers: list[nn.Module] = []
        for before, after in pairwise(sizes):
            layers += [nn.Linear(before, after), nn.GELU()]
        super().__init__(*layers[:-1])
