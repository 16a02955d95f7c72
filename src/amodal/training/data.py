"""The training and held-out rows of a store, as a LightningDataModule."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import lightning.pytorch as pl
import numpy as np
import torch

from amodal.batch import Batch
from amodal.errors import DataError
from amodal.table import Store
from amodal.training.batches import Batches

_HELD_OUT = 10
_MOST_HELD_OUT = 5_000


class StoredRows(pl.LightningDataModule):
    """Training rows and held-out rows, split among the trainer's processes.

    Args:
        store: the table's tensors.
        batch_size: rows a step, over all processes together; None for 128, fewer where rows are few.
        seed: of the order of rows and the choice of those held out.

    Attributes:
        validation_stride: n to validate on every n-th held-out row.
    """

    def __init__(self, store: Store, batch_size: int | None, seed: int) -> None:
        super().__init__()
        self.store = store
        self.batch_size = batch_size
        self.seed = seed
        self.validation_stride = 1
        # A row without a cell teaches nothing.
        self._rows = np.flatnonzero(store.present.any(axis=1))
        self.training, self.held_out = (self._rows[part] for part in split(len(self._rows), seed))

    def all(self, device: torch.device, stop: Callable[[], bool] = lambda: False) -> Iterator[Batch]:
        """Batches of all rows that have a cell; see `sample`."""
        return self._chunks(self._rows, device, stop)

    def all_held_out(self, device: torch.device) -> Iterator[Batch]:
        """Batches of all held-out rows."""
        return self._chunks(self.held_out, device, lambda: False)

    def sample(
        self, most: int, device: torch.device, stop: Callable[[], bool] = lambda: False
    ) -> Iterator[Batch]:
        """Batches of a fixed random sample of the training rows.

        They are chunks of neighbouring rows in a random order, so that those before an early end are a fair sample.

        Args:
            most: size of the sample, at most.
            device: of the batches.
            stop: called after each batch; true ends early.
        """
        few = np.random.default_rng(self.seed).permutation(self.training)[:most]
        return self._chunks(np.sort(few), device, stop)

    def _chunks(
        self, rows: np.ndarray, device: torch.device, stop: Callable[[], bool], size: int = 256
    ) -> Iterator[Batch]:
        starts = np.arange(0, len(rows), size)
        for start in np.random.default_rng(self.seed).permutation(starts):
            yield self.store.gather(rows[start : start + size]).to(device)
            if stop():
                return

    def train_dataloader(self) -> Batches:
        return self._batches(self.training, shuffled=True)

    def val_dataloader(self) -> Batches:
        return self._batches(self.held_out, shuffled=False)

    def steps_of_validation(self) -> int:
        """Batches of a pass over all held-out rows."""
        return len(self.val_dataloader())

    def _batches(self, rows: np.ndarray, *, shuffled: bool) -> Batches:
        trainer = self.trainer
        if trainer is None:
            raise RuntimeError("StoredRows has no trainer yet: pass it to Trainer.fit")
        world = trainer.world_size
        if len(self.training) < world:
            raise DataError(f"{len(self.training)} rows cannot be shared among {world} processes.")
        batch_size = self.batch_size or _default_batch_size(len(self.training))
        size = max(1, min(batch_size, len(self.training)) // world) * world
        return Batches(
            self.store,
            rows,
            size,
            shuffled,
            self.seed,
            lambda: trainer.current_epoch,
            trainer.global_rank,
            world,
            (lambda: 1) if shuffled else (lambda: self.validation_stride),
        )


def _default_batch_size(rows: int, most: int = 128, least: int = 16, steps: int = 20) -> int:
    """128 rows, or as many as give an epoch of a small table twenty steps."""
    return min(most, max(least, rows // steps))


def split(rows: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Training rows and held-out rows: a tenth, at most 5,000; fewer than ten rows are both.

    Example:
        >>> training, held_out = split(50, seed=0)
        >>> len(training), len(held_out)
        (45, 5)
    """
    order = np.random.default_rng((seed, 0x5EED)).permutation(rows)
    count = min(rows // _HELD_OUT, _MOST_HELD_OUT)
    return (np.sort(order[count:]), np.sort(order[:count])) if count else (order, order)
