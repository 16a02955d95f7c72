"""Short trials of many settings on the demo table: draws are judged as tensors, and no sound is made of them."""

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
from benchmarks.closeness import SEEN, closeness
from benchmarks.coherence import JUDGED, completions, conditional, means, whole_rows
from benchmarks.judges import Judges, train_judges


@dataclass(frozen=True)
class Trial:
    """A demo table that is ready to be fitted, and complete rows to judge by.

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
        """Train a method for so long: its model, and how many epochs that were."""
        torch.manual_seed(seed)
        model = method.model(self.modalities, **options)
        history = train(
            model, method.stages, self.store, Budget(100_000, seconds), TrainerConfig(seed=seed)
        ).history
        return model.eval(), len(history)

    def judge(self, model: GenerativeModel, **how: Any) -> dict[str, Any]:
        """Coherence and closeness of what a model draws."""

        def complete(given: Any, targets: Any) -> dict[str, Any]:
            batch = self.heldout.given(given)
            return self.seen(model.complete(batch, targets, RowNoise(0, batch.rows), **how))

        completed, whole = completions(complete), complete((), JUDGED)
        real = self.seen({name: self.modalities[name].scale(self.heldout.x[name]) for name in SEEN})
        distances = closeness(completed, whole, real, self.judges)
        return {
            **means(conditional(completed, self.judges, self.truth)),
            "whole rows": whole_rows(whole, self.judges)["image = speech = caption"],
            **{
                f"Frechet {column}, {kind}": round(of[kind] / of["real halves"], 2)
                for column, of in distances.items()
                for kind in ("given", "whole rows")
            },
        }

    def seen(self, drawn: Mapping[str, Tensor]) -> dict[str, Any]:
        """Draws as judges take them: sounds as spectrograms."""
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
        folder: where tables are kept.
        rows: of the table.
        missing: share of its cells left out.
        change: what is done to its rows, and to those it is judged by.
        name: of that change.
        seed: of the table.
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
