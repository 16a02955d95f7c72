"""What every model of a table can do."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping

import torch
from torch import Tensor, nn

from amodal.batch import Batch
from amodal.distributions import RowNoise
from amodal.modalities import Modality

_STEP = 8
"""Rows that are computed together at least; see `apply_to_present`."""
_SIZES = 32
"""How many numbers of rows are told apart in a large batch."""


class GenerativeModel(nn.Module, ABC):
    """A generative model of a table's rows, whatever is missing of them.

    Args:
        modalities: column name -> fitted modality.
    """

    def __init__(self, modalities: Mapping[str, Modality]) -> None:
        super().__init__()
        self.modalities = dict(modalities)

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(self.parameters()).device

    @abstractmethod
    def complete(self, batch: Batch, targets: Iterable[str], noise: RowNoise) -> dict[str, Tensor]:
        """Draw the target columns given the present cells, as `Modality.to_cells` takes them.

        What is drawn for one row belongs together.
        """

    @abstractmethod
    def embed(self, batch: Batch) -> Tensor:
        """The joint representation of each row's present cells, (B, D)."""

    @abstractmethod
    def log_marginal(self, batch: Batch, noise: RowNoise, samples: int = 100, at_once: int = 50) -> Tensor:
        """Estimate log p(present cells) in nats, (B,); 0 for a row with none.

        Args:
            batch: the rows.
            noise: of the rows.
            samples: draws a row; the estimate tightens as they grow.
            at_once: how many of them are taken together.
        """


def zero_missing(cells: Tensor, present: Tensor) -> Tensor:
    """Put zeros where a cell is absent, so that not even a NaN there reaches a network."""
    shape = (-1, *([1] * (cells.dim() - 1)))
    return torch.where(present.view(shape), cells, torch.zeros((), dtype=cells.dtype, device=cells.device))


def apply_to_present(compute: Callable[..., Tensor], present: Tensor, *tensors: Tensor) -> Tensor:
    """What `compute` makes of the rows that have a cell; zeros for the others, most of which a processor is spared.

    Of those that it is not spared it reads zeros, so that not even a NaN there reaches a network.

    Rows are counted up to whole eights, and in large batches to thirty-seconds of the batch: kernels are made ready
    for a number of rows, which takes longer than a few rows more.

    Args:
        compute: rows of the tensors to (K, ...), each row by itself.
        present: boolean (B,).
        tensors: (B, ...).

    Returns:
        (B, ...).
    """
    # On a graphics card the number would be waited for, which takes longer than the rows that could be spared.
    count = int(present.sum()) if present.device.type == "cpu" else len(present)
    step = max(_STEP, len(present) // _SIZES)
    # One at least, of no weight: processes that train together must all use the same weights.
    computed = max(1, -(-count // step)) * step
    if computed >= len(present):
        return zero_missing(compute(*(zero_missing(tensor, present) for tensor in tensors)), present)
    rows = present.int().argsort(descending=True, stable=True)[:computed]
    made = compute(*(_blank_from(count, tensor[rows]) for tensor in tensors))
    return made.new_zeros(len(present), *made.shape[1:]).index_copy(0, rows[:count], made[:count])


def _blank_from(count: int, chosen: Tensor) -> Tensor:
    """Zeros in place of what comes after the first rows."""
    chosen[count:] = 0
    return chosen
