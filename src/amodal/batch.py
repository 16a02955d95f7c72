"""Rows as tensors: the one thing every model is given."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor


@dataclass(frozen=True)
class Batch:
    """B rows of a table with M columns.

    Attributes:
        x: column name -> tensor of shape (B, ...). Where a cell is absent its values mean nothing,
            and may be NaN.
        present: boolean (B, M), in the order of `x`: which cells are there.
        rows: integer (B,), the rows' numbers in the table; random draws depend on them.

    Example:
        >>> batch = Batch({"a": torch.ones(2, 3)}, torch.tensor([[True], [False]]), torch.arange(2))
        >>> batch.given([]).present.any().item()
        False
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

    def given(self, columns: Iterable[str]) -> Batch:
        """The same rows with only these columns' cells present."""
        kept = set(columns)
        mask = torch.tensor([name in kept for name in self.x], device=self.present.device)
        return replace(self, present=self.present & mask)

    def to(self, device: torch.device | str) -> Batch:
        """The same rows on another device."""
        return Batch(
            {name: values.to(device, non_blocking=True) for name, values in self.x.items()},
            self.present.to(device, non_blocking=True),
            self.rows.to(device, non_blocking=True),
        )
