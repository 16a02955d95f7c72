"""Random masks of the cells that are given in training; the other present cells are the targets."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from amodal.distributions import RowNoise


def given_masks(present: Tensor, noise: RowNoise, num_masks: int, num_single_masks: int) -> Tensor:
    """Masks of given cells, boolean (num_masks + num_single_masks, B, M), true only where `present` is.

    Args:
        present: boolean (B, M).
        noise: random numbers of the rows.
        num_masks: subsets of all sizes, see `subset_mask`.
        num_single_masks: subsets of one cell, see `single_cell_mask`. Of eight columns a random subset is hardly ever
            a single one, which is what translating from one column gives.
    """
    masks = [subset_mask(present, noise) for _ in range(num_masks)]
    return torch.stack(masks + [single_cell_mask(present, noise) for _ in range(num_single_masks)])


def subset_mask(present: Tensor, noise: RowNoise) -> Tensor:
    """A random subset of each row's present cells, (B, M): all sizes, none and all included, are equally likely.

    Each cell is given with the row's own probability, which is uniform on (0, 1).
    """
    probability = noise.uniform(1)
    return present & (noise.uniform(present.shape[1]) < probability)


def single_cell_mask(present: Tensor, noise: RowNoise) -> Tensor:
    """One of each row's present cells, (B, M), each equally likely."""
    scores = torch.where(present, noise.uniform(present.shape[1]), -1.0)
    return present & functional.one_hot(scores.argmax(1), present.shape[1]).bool()
