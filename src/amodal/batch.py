"""Batches: rows of a table as tensors."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor


@dataclass(frozen=True)
class Batch:
    """B rows of a table with M columns.

    Attributes:
        x: column name -> tensor of shape (B, ...). Values of missing cells are arbitrary,
            and may be NaN.
        present: boolean (B, M), in the order of `x`.
        rows: integer (B,), the rows' numbers in the table, from which draws are seeded.

    Example:
        >>> batch = Batch({"a": torch.ones(2, 3)}, torch.tensor([[True], [False]]), torch.arange(2))
        >>> batch.given([]).present.any().item()
        False
        >>> len(batch[1:]), batch.column("a").shape
        (1, torch.Size([1, 3]))
    """

    x: Mapping[str, Tensor]
    present: Tensor
    rows: Tensor

    def __post_init__(self) -> None:
        if self.present.dtype != torch.bool or self.present.shape != (len(self.rows), len(self.x)):
            raise ValueError(
                f"present must be boolean of shape {(len(self.rows), len(self.x))}, "
                f"not {self.present.dtype} of shape {tuple(self.present.shape)}"
            )

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns' names, in the order of `present`."""
        return tuple(self.x)

    def __getitem__(self, rows: slice | Tensor | NDArray[Any]) -> Batch:
        """Some of the rows, by slice, numbers or boolean mask."""
        return Batch(
            {name: values[rows] for name, values in self.x.items()}, self.present[rows], self.rows[rows]
        )

    def split(self, size: int) -> Iterator[Batch]:
        """The rows in order, `size` at a time."""
        for start in range(0, len(self), size):
            yield self[start : start + size]

    def mask(self, column: str) -> Tensor:
        """A column of `present`, boolean (B,)."""
        return self.present[:, self.columns.index(column)]

    def column(self, name: str) -> Tensor:
        """A column's present cells, (P, ...)."""
        return self.x[name][self.mask(name)]

    def given(self, columns: Iterable[str]) -> Batch:
        """The same rows with only these columns' cells present."""
        kept = set(columns)
        mask = torch.tensor([name in kept for name in self.x], device=self.present.device)
        return replace(self, present=self.present & mask)

    def without(self, column: str) -> Batch:
        """The same rows without a column's cells."""
        return self.given(name for name in self.x if name != column)

    def to(self, device: torch.device | str) -> Batch:
        """The same rows on another device."""
        return Batch(
            {name: values.to(device, non_blocking=True) for name, values in self.x.items()},
            self.present.to(device, non_blocking=True),
            self.rows.to(device, non_blocking=True),
        )
