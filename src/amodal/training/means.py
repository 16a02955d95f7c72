"""Means over an epoch's rows."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor


class Means:
    """Means over rows of what batches tell, added up where they are, without waiting for a device.

    Attributes:
        rows: how many rows there were.

    Example:
        >>> means = Means()
        >>> means.add({"loss": torch.tensor(1.0)}, 3)
        >>> means.add({"loss": torch.tensor(5.0)}, 1)
        >>> means.taken()
        {'loss': tensor(2.)}
    """

    def __init__(self) -> None:
        self.rows = 0
        self._names: tuple[str, ...] = ()
        self._sums = torch.zeros(())

    def add(self, values: Mapping[str, Tensor], rows: int) -> None:
        """Add a batch's means, scalars of the same names each time."""
        names, sums = tuple(values), torch.stack([value.float() for value in values.values()]) * rows
        if self.rows and names != self._names:
            raise ValueError(f"a batch tells of {names}, those before it of {self._names}")
        self._names = names
        self._sums = self._sums + sums if self.rows else sums
        self.rows += rows

    def taken(self) -> dict[str, Tensor]:
        """The means, after which all begins anew."""
        means = dict(zip(self._names, self._sums / max(1, self.rows), strict=True)) if self.rows else {}
        self.rows = 0
        return means
