"""A store's rows, as Lightning asks for them."""

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
    """The rows to train on and those held out, shared out among the trainer's processes.

    Args:
        store: where the rows are.
        batch_size: rows a step, over all processes together; None for 128, fewer where rows are few.
        seed: of the order of rows and of which are held out.

    Attributes:
        validation_stride: every how many of the held-out rows one is used, so that a pass over them keeps to its time.
    """

    def __init__(self, store: Store, batch_size: int | None, seed: int) -> None:
        super().__init__()
        self.store = store
        self.batch_size = batch_size
        self.seed = seed
        self.validation_stride = 1
        self.training, self.held_out = split(len(store), seed)

    def all(self, device: torch.device, over: Callable[[], bool] = lambda: False) -> Iterator[Batch]:
        """Batches of all rows of the store; see `some` for `over`."""
        return self._chunks(np.arange(len(self.store)), device, over)

    def some(
        self, most: int, device: torch.device, over: Callable[[], bool] = lambda: False
    ) -> Iterator[Batch]:
        """Batches of rows to train on, at most so many; the same ones each time.

        They are chunks of neighbouring rows in a random order, so that those before an early end are a fair sample.

        Args:
            most: how many rows.
            device: where the batches go.
            over: asked after each batch whether to end early.
        """
        few = np.random.default_rng(self.seed).permutation(self.training)[:most]
        return self._chunks(np.sort(few), device, over)

    def _chunks(
        self, rows: np.ndarray, device: torch.device, over: Callable[[], bool], size: int = 256
    ) -> Iterator[Batch]:
        starts = np.arange(0, len(rows), size)
        for start in np.random.default_rng(self.seed).permutation(starts):
            yield self.store.gather(rows[start : start + size]).to(device)
            if over():
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
            raise RuntimeError("rows are shared out by a trainer, which sets itself when it takes them")
        world = trainer.world_size
        if len(self.training) < world:
            raise DataError(f"{len(self.training)} rows cannot be shared among {world} processes.")
        rows_a_step = self.batch_size or _rows_a_step(len(self.training))
        size = max(1, min(rows_a_step, len(self.training)) // world) * world
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


def _rows_a_step(rows: int, most: int = 128, least: int = 16, steps: int = 20) -> int:
    """As many as leave an epoch of a small table enough steps to get somewhere."""
    return min(most, max(least, rows // steps))


def split(rows: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows to train on and a tenth to hold out, at most 5,000; a table too small to spare any is held out from itself.

    Example:
        >>> training, held_out = split(50, seed=0)
        >>> len(training), len(held_out)
        (45, 5)
    """
    order = np.random.default_rng((seed, 0x5EED)).permutation(rows)
    count = min(rows // _HELD_OUT, _MOST_HELD_OUT)
    return (np.sort(order[count:]), np.sort(order[:count])) if count else (order, order)
