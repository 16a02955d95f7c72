"""Random masks of the cells that are given in training; the other present cells are the targets."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from amodal.distributions import RowNoise

_MAX_REST_WEIGHT = 4.0


@dataclass(frozen=True)
class GivenMasks:
    """K masks of given cells a row.

    Attributes:
        given: boolean (K, B, M), true only where a cell is present.
        is_rest: boolean (K, B), true where all present cells but one are given.
        weights: (K,), of a target's loss, so that a column counts as much under each kind of mask.
    """

    given: Tensor
    is_rest: Tensor
    weights: Tensor


def given_masks(
    present: Tensor, noise: RowNoise, num_masks: int, num_single_masks: int, num_rest_masks: int
) -> GivenMasks:
    """Draw masks: random subsets first, then by turns single cells and all cells but one.

    Args:
        present: boolean (B, M).
        noise: random numbers of the rows.
        num_masks: subsets of all sizes, see `subset_mask`.
        num_single_masks: subsets of one cell, see `single_cell_mask`. Of eight columns a random subset is hardly ever
            a single one, which is what translating from one column gives.
        num_rest_masks: subsets of all cells but one, which is what filling a hole gives.
    """
    masks, weights, columns = [], [], present.shape[1]
    for _ in range(num_masks):
        masks.append(subset_mask(present, noise))
        weights.append(2.0 / num_masks)
    for turn in range(max(num_single_masks, num_rest_masks)):
        if turn < num_single_masks:
            masks.append(single_cell_mask(present, noise))
            weights.append(1.0 / num_single_masks)
        if turn < num_rest_masks:
            masks.append(present & ~single_cell_mask(present, noise))
            weights.append(min(_MAX_REST_WEIGHT, columns / num_rest_masks))
    given = torch.stack(masks)
    return GivenMasks(
        given,
        given.sum(2) == present.sum(1) - 1,
        torch.tensor(weights, device=present.device),
    )


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
