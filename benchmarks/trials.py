"""Short trials of many settings on the demo table; draws are scored as tensors, without making sounds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from amodal.batch import Batch
from amodal.datasets.digits import make_digits
from amodal.distributions import RowNoise
from amodal.methods import Method
from amodal.modalities import MODALITIES, Modality
from amodal.models import GenerativeModel
from amodal.table import Store, encode, infer_schema, prepare_store, read_table
from amodal.training import Budget, TrainerConfig, train
from benchmarks.closeness import MEDIA, closeness
from benchmarks.coherence import JUDGED, completions, conditional, means, whole_rows
from benchmarks.judges import Judges, train_judges


@dataclass(frozen=True)
class Trial:
    """A prepared demo table, and complete rows to score draws on.

    Attributes:
        modalities: column name -> fitted modality.
        store: the training table's tensors.
        heldout: rows that no model saw.
        truth: their digits.
        judges: of the table.
    """

    modalities: Mapping[str, Modality]
    store: Store
    heldout: Batch
    truth: np.ndarray
    judges: Judges

    def fit(
        self, method: Method, seconds: float, seed: int = 0, **options: Any
    ) -> tuple[GenerativeModel, int]:
        """Train a method for this time: its model and the number of epochs."""
        torch.manual_seed(seed)
        model = method.model(self.modalities, **options)
        history = train(
            model, method.stages, self.store, Budget(100_000, seconds), TrainerConfig(seed=seed)
        ).history
        return model.eval(), len(history)

    def judge(self, model: GenerativeModel, **how: Any) -> dict[str, Any]:
        """Coherence and Frechet distances of a model's draws."""

        def complete(given: Any, targets: Any) -> dict[str, Any]:
            batch = self.heldout.given(given)
            return self.seen(model.complete(batch, targets, RowNoise(0, batch.rows), **how))

        completed, unconditional = completions(complete), complete((), JUDGED)
        real = self.seen({name: self.modalities[name].scale(self.heldout.x[name]) for name in MEDIA})
        distances = closeness(completed, unconditional, real, self.judges)
        return {
            **means(conditional(completed, self.judges, self.truth)),
            "whole rows": whole_rows(unconditional, self.judges)["image = speech = caption"],
            **{
                f"Frechet {column}, {kind}": round(of[kind] / of["real halves"], 2)
                for column, of in distances.items()
                for kind in ("given", "whole rows")
            },
        }

    def seen(self, drawn: Mapping[str, Tensor]) -> dict[str, Any]:
        """Draws as the classifiers take them: sounds as spectrograms."""
        return {
            name: tensor if name == "speech" else self.modalities[name].to_cells(tensor)
            for name, tensor in drawn.items()
        }


def trial(
    folder: Path,
    rows: int,
    missing: float,
    *,
    change: Callable[[pd.DataFrame], pd.DataFrame] = lambda frame: frame,
    name: str = "as it is",
    seed: int = 0,
) -> Trial:
    """Make and prepare a demo table.

    Args:
        folder: folder of the tables.
        rows: number of rows.
        missing: fraction of missing cells.
        change: change of the training and the held-out rows.
        name: name of that change.
        seed: seed of the table.
    """
    data = folder / f"digits-{rows}-{missing}-{seed}"
    if not (data / "metadata.csv").is_file():
        make_digits(data, rows=rows, missing=missing, seed=seed)
    frames = {}
    for part in ("metadata", "heldout"):
        frame = pd.read_csv(data / f"{part}.csv", dtype=str, keep_default_na=False, na_values=[""])
        frames[part] = read_table(change(frame), data)
    modalities = infer_schema(frames["metadata"], MODALITIES).used
    store = prepare_store(frames["metadata"], modalities, data / f"trial {name}")
    heldout = encode(frames["heldout"], modalities)
    truth = frames["heldout"].frame["digit"].astype(int).to_numpy()
    return Trial(modalities, store, heldout, truth, train_judges(data))
