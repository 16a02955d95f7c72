"""Columns of the demo table as tensors, the same for every library that trains on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from torch import Tensor

from amodal.batch import Batch
from amodal.modalities import MODALITIES, Modality
from amodal.parallel import in_parallel
from amodal.table import Store, encode, infer_schema, prepare_store, read_table
from amodal.training.data import split

BATCH_SIZE = 128
_CELLS_AT_ONCE = 8


@dataclass(frozen=True)
class PeerTable:
    """Rows to train on, and complete rows to judge by.

    Attributes:
        modalities: column name -> fitted modality.
        store: the training table's tensors; rows that have none of the columns are left out.
        training: the store's rows that are trained on.
        held_out: the store's rows by whose loss the best epoch is chosen.
        judged: rows that no model saw.
    """

    modalities: Mapping[str, Modality]
    store: Store
    training: np.ndarray
    held_out: np.ndarray
    judged: Batch

    def cells(self, drawn: Mapping[str, Tensor]) -> dict[str, list]:
        """Convert draws to cells."""
        cells = {}
        for name, tensor in drawn.items():
            pieces = tensor.split(_CELLS_AT_ONCE)
            parts = in_parallel(self.modalities[name].to_cells, pieces, label=f"Making {name}")
            cells[name] = [cell for part in parts for cell in part]
        return cells


def peer_table(folder: Path, columns: Sequence[str], judged: int, seed: int) -> PeerTable:
    """Prepare the demo table in a folder, of which `judged` held-out rows are judged."""
    place = folder / f"peer-{'-'.join(columns)}"
    frame = pd.read_csv(folder / "metadata.csv", dtype=str, keep_default_na=False, na_values=[""])
    chosen = frame[list(columns)].dropna(how="all")
    chosen.to_csv(place.with_suffix(".csv"), index=False)
    table = read_table(place.with_suffix(".csv"))
    modalities = infer_schema(table, MODALITIES).used
    store = prepare_store(table, modalities, place)
    rows = encode(read_table(folder / "heldout.csv"), modalities, slice(0, judged))
    training, held_out = split(len(store), seed)
    return PeerTable(modalities, store, training, held_out, rows)
