"""The rows by which a model is judged: real ones, and what it draws."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from amodal.batch import Batch
from amodal.distributions import RowNoise
from amodal.metrics import ColumnFeatures, Matcher, column_vectors, fit_features, fit_matchers, scaled_batch
from amodal.metrics.features import Vectors
from amodal.modalities import Modality
from amodal.models import GenerativeModel
from amodal.report.metric import Notes

ROWS_AT_ONCE = 256
GENERATION, TRANSLATION, COMPLETION, LIKELIHOOD, TARGET = range(5)
"""What draws are for, so that no two have the same noise."""


@dataclass(frozen=True)
class Evidence:
    """Real and generated rows, as scaled tensors and as vectors.

    Attributes:
        model: the model.
        stored: the judged rows as the model takes them.
        judged: real rows that neither the model nor any matcher saw.
        known: other real rows, which features, matchers and judges are fitted to.
        generated: as many rows as judged ones, drawn with nothing given.
        features: column -> its features; a column of which too few cells are known has none.
        vectors: of `judged`, `known` and `generated`, of each column that has features.
        matchers: of each two columns, (given, target), the given being the first in the table.
        seed: of all draws.
        cut: whether judged rows were drawn from more.
    """

    model: GenerativeModel
    stored: Batch
    judged: Batch
    known: Batch
    generated: Batch
    features: Mapping[str, ColumnFeatures]
    vectors: Mapping[str, Mapping[str, Vectors]]
    matchers: Mapping[tuple[str, str], Matcher]
    seed: int
    cut: bool

    @property
    def modalities(self) -> Mapping[str, Modality]:
        """Of the model's columns."""
        return self.model.modalities

    def matcher(self, given: str, target: str) -> Matcher | None:
        """The matcher of two columns in this order, None where there is none."""
        if (given, target) in self.matchers:
            return self.matchers[given, target]
        other = self.matchers.get((target, given))
        return other and Matcher(other.target, other.given, other.correlations)

    def noise_seed(self, purpose: int, number: int = 0) -> int:
        """A seed of its own for each purpose and number of a draw."""
        return self.seed + ((purpose * 100_000 + number + 1) << 32)


def gather(
    model: GenerativeModel, known: Batch, judged: Batch, notes: Notes, *, seed: int, cut: bool
) -> Evidence:
    """Draw rows and learn features and matchers.

    Args:
        model: the model.
        known: real rows, as `amodal.table.encode` gives them.
        judged: others.
        notes: where it is noted which columns and pairs cannot be looked at.
        seed: of draws and subsamples.
        cut: whether judged rows were drawn from more.
    """
    modalities = model.modalities
    blank = Batch(judged.x, torch.zeros_like(judged.present), torch.arange(len(judged)))
    drawn = completed(model, blank, modalities, seed + ((GENERATION + 1) << 32))
    generated = Batch({name: drawn[name] for name in modalities}, ~blank.present, blank.rows)
    learned = scaled_batch(known, modalities)
    features: dict[str, ColumnFeatures] = {}
    for name, modality in modalities.items():
        with notes.attempt("all that needs real cells", name):
            features[name] = fit_features(modality, learned.column(name), seed=seed)
    sets = {"judged": scaled_batch(judged, modalities), "known": learned, "generated": generated}
    vectors = {which: column_vectors(features, rows) for which, rows in sets.items()}
    matchers, without = fit_matchers(vectors["known"], seed=seed)
    for (given, target), reason in without.items():
        notes.add("coherence", reason, f"{given} and {target}")
    return Evidence(
        model, judged, **sets, features=features, vectors=vectors, matchers=matchers, seed=seed, cut=cut
    )


def completed(model: GenerativeModel, batch: Batch, targets: Iterable[str], seed: int) -> dict[str, Tensor]:
    """The target columns drawn given the present cells, scaled, of any number of rows."""
    names = list(targets)
    parts = []
    for piece in batch.split(ROWS_AT_ONCE):
        drawn = model.complete(piece.to(model.device), names, RowNoise(seed, piece.rows.to(model.device)))
        parts.append({name: cells.cpu() for name, cells in drawn.items()})
    return {name: torch.cat([part[name] for part in parts]) for name in names}


def embedded(model: GenerativeModel, batch: Batch) -> NDArray[np.float32]:
    """The model's joint representation (N, D) of any number of rows."""
    parts = [model.embed(piece.to(model.device)).float().cpu().numpy() for piece in batch.split(ROWS_AT_ONCE)]
    return np.concatenate(parts)
