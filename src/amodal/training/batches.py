"""An epoch's batches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from amodal.batch import Batch
from amodal.table import Store

ROWS_AN_EPOCH = 50_000


@dataclass(frozen=True)
class Batches:
    """An epoch's batches of a store's rows, split evenly among processes.

    The order of rows depends on the seed and the epoch alone: with any number of processes the same rows make
    the same step. A table of more rows than `ROWS_AN_EPOCH` takes several epochs.

    Attributes:
        store: the table's tensors.
        rows: row numbers, integer (N,).
        size: rows a step, over all processes together.
        shuffled: a new order each epoch, of full batches only; false for the order of `rows`, with a smaller last
            batch.
        seed: of the order.
        epoch: gives the current epoch.
        rank: this process's number.
        world: number of processes.
        stride: gives n to use every n-th row only; called before each pass.
    """

    store: Store
    rows: np.ndarray
    size: int
    shuffled: bool
    seed: int = 0
    epoch: Callable[[], int] = lambda: 0
    rank: int = 0
    world: int = 1
    stride: Callable[[], int] = lambda: 1

    def __len__(self) -> int:
        if not self.shuffled:
            return -(-len(self.rows) // self.size)
        return max(1, min(len(self.rows), ROWS_AN_EPOCH) // self.size)

    def __iter__(self) -> Iterator[Batch]:
        order = self._order()[:: self.stride()]
        for step in range(min(len(self), -(-len(order) // self.size))):
            rows = order[step * self.size : (step + 1) * self.size]
            yield self.store.gather(self._share(rows))

    def _order(self) -> np.ndarray:
        if not self.shuffled:
            return self.rows
        count = len(self.rows)
        wanted = len(self) * self.size
        start = self.epoch() * min(count, ROWS_AN_EPOCH)
        passes = range(start // count, (start + wanted - 1) // count + 1)
        orders = [np.random.default_rng((self.seed, number)).permutation(self.rows) for number in passes]
        skip = start - passes[0] * count
        return np.concatenate(orders)[skip : skip + min(wanted, count)]

    def _share(self, rows: np.ndarray) -> np.ndarray:
        # Shares of one size, so that the mean over processes is the mean over rows; a validation batch
        # too small to be shared goes to all.
        share = len(rows) // self.world
        return rows[self.rank * share : (self.rank + 1) * share] if share else rows
