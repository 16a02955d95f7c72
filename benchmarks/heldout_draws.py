"""Draws of a fitted model for a real table's held-out rows, which are encoded once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from amodal import TableModel
from amodal.batch import Batch
from amodal.distributions import RowNoise
from amodal.parallel import in_parallel
from amodal.table import encode, read_table
from benchmarks.real_table import RealTable

_ROWS_AT_ONCE = 512
_CELLS_AT_ONCE = 8


class HeldoutDraws:
    """Draws cells of the held-out rows given others.

    A held-out cell whose label does not occur in the training rows is not given: the model does not know it.

    Args:
        fitted: a fitted model.
        table: table of the held-out rows.
    """

    def __init__(self, fitted: TableModel, table: RealTable) -> None:
        self.model = fitted.fitted_.model
        self.columns = list(self.model.modalities)
        frame = read_table(table.heldout, table.folder)
        self._batch = encode(frame, self.model.modalities, bad_cells="missing")

    def cells(
        self,
        given: Iterable[str],
        targets: Sequence[str],
        *,
        rows: np.ndarray | None = None,
        seed: int = 0,
        draw: int = 0,
    ) -> dict[str, list[Any]]:
        """Draw cells.

        Args:
            given: columns whose cells are given.
            targets: columns to draw; their own cells are not used.
            rows: boolean mask of the held-out rows, or of the first of them; all by default.
            seed: seed of the draws.
            draw: number of the draw.
        """
        given = [name for name in given if name not in targets]
        parts = []
        for batch in self._batches(rows):
            noise = RowNoise(seed + (draw << 32), batch.rows)
            parts.append(self.model.complete(batch.given(given), targets, noise))
        return {name: self._to_cells(name, torch.cat([part[name] for part in parts])) for name in targets}

    def _batches(self, rows: np.ndarray | None) -> Iterator[Batch]:
        chosen = torch.arange(len(self._batch)) if rows is None else torch.from_numpy(np.flatnonzero(rows))
        for batch in self._batch[chosen].split(_ROWS_AT_ONCE):
            yield batch.to(self.model.device)

    def _to_cells(self, name: str, tensor: Tensor) -> list[Any]:
        modality = self.model.modalities[name]
        pieces = tensor.cpu().split(_CELLS_AT_ONCE if modality.suffix else len(tensor))
        cells = in_parallel(modality.to_cells, pieces, label=f"Making {name}")
        return [cell for piece in cells for cell in piece]
