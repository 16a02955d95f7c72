"""Interface of the generative models, and the masking of absent cells."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.distributions import Distribution

from amodal.batch import Batch
from amodal.distributions import RowNoise
from amodal.modalities import Modality

DrawColumn = Callable[[str, Distribution], Tensor]
"""Cells (B, ...) of a column, by its name and the likelihood of its cells."""
_ROUND_TO = 8
"""Numbers of rows are rounded up to a multiple of this."""
_MAX_SIZES = 32
"""Greatest count of different numbers of rows in a large batch."""


class GenerativeModel(nn.Module, ABC):
    """Generative model p(x_1, ..., x_M) of a table's rows, any of whose cells may be missing.

    Args:
        modalities: column name -> fitted modality.

    Attributes:
        latent: size D of an embedding.
        is_autoregressive: the first of several columns is drawn given the present cells alone, and no latent.
    """

    latent: int
    is_autoregressive: ClassVar[bool] = False

    def __init__(self, modalities: Mapping[str, Modality]) -> None:
        super().__init__()
        self.modalities = dict(modalities)

    @property
    def device(self) -> torch.device:
        """Device of the weights."""
        return next(self.parameters()).device

    @abstractmethod
    def complete(self, batch: Batch, targets: Iterable[str], noise: RowNoise) -> dict[str, Tensor]:
        """Sample the target columns given the present cells, jointly for each row.

        Args:
            batch: B rows.
            targets: column names.
            noise: random numbers of the rows.

        Returns:
            Column name -> tensor (B, ...), as `Modality.to_cells` takes it.
        """

    def draw_columns(self, batch: Batch, names: Sequence[str], draw: DrawColumn, noise: RowNoise) -> None:
        """Draw columns one after another by a function, each given the cells before it.

        Args:
            batch: B rows.
            names: columns without a latent of their own, in the order of drawing.
            draw: called with a column's name and the likelihood of its scaled cells; gives cells (B, ...). Where a
                cell is present, the columns that follow are given that instead.
            noise: random numbers of the rows, for latents.

        Raises:
            NotImplementedError: the model has no conditionals of single columns.
        """
        raise NotImplementedError(f"{type(self).__name__} draws no columns one after another")

    def predict(
        self, batch: Batch, names: Iterable[str], noise: RowNoise, num_samples: int = 100
    ) -> dict[str, Distribution]:
        """Distributions of columns' scaled cells given the present cells of the other columns.

        Args:
            batch: B rows.
            names: columns without a latent of their own.
            noise: random numbers of the rows, for latents.
            num_samples: latents that a mixture is made of, where the model has a joint latent.

        Raises:
            NotImplementedError: the model has no conditionals of single columns.
        """
        raise NotImplementedError(f"{type(self).__name__} predicts no single columns")

    def cell_log_prob(self, batch: Batch, noise: RowNoise, num_samples: int = 100) -> Tensor:
        """Log p(cell | the row's other present cells) in nats, (B, M); zero where a cell is absent.

        By default the difference of two estimates of `log_prob`.

        Args:
            batch: B rows.
            noise: random numbers of the rows.
            num_samples: importance samples a row.
        """
        joint = self.log_prob(batch, noise, num_samples)
        scores = [
            torch.where(
                batch.mask(name),
                joint - self.log_prob(batch.without(name), noise, num_samples),
                0.0,
            )
            for name in self.modalities
        ]
        return torch.stack(scores, dim=1)

    @abstractmethod
    def embed(self, batch: Batch) -> Tensor:
        """Embed each row's present cells to one vector, (B, D)."""

    @abstractmethod
    def log_prob(self, batch: Batch, noise: RowNoise, num_samples: int = 100, chunk_size: int = 50) -> Tensor:
        """Estimate log p(present cells) in nats, (B,); 0 for a row with none.

        Args:
            batch: B rows.
            noise: random numbers of the rows.
            num_samples: importance samples a row; more tighten the estimate.
            chunk_size: samples held in memory at a time.
        """


def broadcast_mask(mask: Tensor, cells: Tensor) -> Tensor:
    """View a mask (B,) so that it broadcasts against cells (B, ...)."""
    return mask.view(-1, *([1] * (cells.dim() - 1)))


def zero_missing(cells: Tensor, present: Tensor) -> Tensor:
    """Replace absent cells by zeros; unlike a product with the mask, NaN too."""
    zero = torch.zeros((), dtype=cells.dtype, device=cells.device)
    return torch.where(broadcast_mask(present, cells), cells, zero)


def apply_to_present(compute: Callable[..., Tensor], present: Tensor, *tensors: Tensor) -> Tensor:
    """Apply a function to the rows with a present cell, and return zeros for the others.

    Most absent rows are not computed. The few that are, to round up the number of rows, are read as zeros, so that a
    NaN there reaches no network. The number is a multiple of eight, and in a large batch of a thirty-second of the
    batch, since kernels are prepared for each new number of rows, which costs more than a few rows do.

    Args:
        compute: function of rows of the tensors, to (K, ...), row by row.
        present: boolean (B,).
        tensors: (B, ...).

    Returns:
        (B, ...).
    """
    # On a GPU, reading the number would wait for the device, which takes longer than the rows that it saves.
    count = int(present.sum()) if present.device.type == "cpu" else len(present)
    multiple = max(_ROUND_TO, len(present) // _MAX_SIZES)
    # At least one row, even of no weight: in distributed training each process must use the same parameters.
    computed = max(1, -(-count // multiple)) * multiple
    if computed >= len(present):
        return zero_missing(compute(*(zero_missing(tensor, present) for tensor in tensors)), present)
    rows = present.int().argsort(descending=True, stable=True)[:computed]
    outputs = compute(*(_zero_after(count, tensor[rows]) for tensor in tensors))
    zeros = outputs.new_zeros(len(present), *outputs.shape[1:])
    return zeros.index_copy(0, rows[:count], outputs[:count])


def _zero_after(count: int, rows: Tensor) -> Tensor:
    """Set all but the first `count` rows to zero, in place."""
    rows[count:] = 0
    return rows
