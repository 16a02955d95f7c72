"""Features of columns and rows: standardised vectors, fitted to real cells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from amodal.batch import Batch
from amodal.metrics.by_type import column_metrics
from amodal.metrics.estimate import need_rows
from amodal.metrics.sampling import subsample
from amodal.metrics.vectorizers import Cells, Vectorizer
from amodal.modalities import Modality

Vectors = NDArray[np.float64]

_ROWS_AT_ONCE = 512


@dataclass(frozen=True)
class ColumnFeatures:
    """Vectors of a column's cells, with mean 0 and total variance 1 over the real cells they were fitted to.

    So no column dominates joined vectors, and a squared distance of 1 is that of a real cell from the mean.

    Attributes:
        vectorizer: scaled cells (N, ...) -> vectors (N, F).
        mean: (F,), of the real cells' vectors.
        scale: root of their total variance; 1 where they are all the same.
    """

    vectorizer: Vectorizer
    mean: Vectors
    scale: float

    def __call__(self, cells: Cells) -> Vectors:
        """Scaled cells (N, ...), as `scaled_batch` or a model's draws have them, as vectors (N, F)."""
        pieces = (cells[start : start + _ROWS_AT_ONCE] for start in range(0, len(cells), _ROWS_AT_ONCE))
        vectors = [
            (np.asarray(self.vectorizer(piece), np.float64) - self.mean) / self.scale for piece in pieces
        ]
        return np.concatenate([np.empty((0, len(self.mean))), *vectors])


def scaled_batch(batch: Batch, modalities: Mapping[str, Modality]) -> Batch:
    """Stored tensors as likelihoods score them, and therefore as models draw them."""
    return replace(batch, x={name: modality.scale(batch.x[name]) for name, modality in modalities.items()})


def fit_features(
    modality: Modality, cells: Cells, *, vectorizer: Vectorizer | None = None, seed: int = 0
) -> ColumnFeatures:
    """Fit features to a column's real cells, up to 2,000 of them.

    Args:
        modality: the column's.
        cells: real ones, scaled: (N, ...).
        vectorizer: in place of the one of the column's type; see `amodal.metrics.by_type`.
        seed: of the subsample and of the decompositions.

    Raises:
        MetricUnavailable: there are fewer than 2 cells.
    """
    need_rows(len(cells), 2, "present cells")
    cells = cells[subsample(len(cells), seed)]
    vectorizer = vectorizer or column_metrics(modality).fit_vectorizer(cells, seed)
    vectors = np.asarray(vectorizer(cells), np.float64)
    variance = float(vectors.var(axis=0).sum())
    return ColumnFeatures(vectorizer, vectors.mean(axis=0), np.sqrt(variance) if variance > 1e-12 else 1.0)


def fit_table_features(
    real: Batch,
    modalities: Mapping[str, Modality],
    *,
    vectorizers: Mapping[str, Vectorizer] | None = None,
    seed: int = 0,
) -> dict[str, ColumnFeatures]:
    """`fit_features` of each column to the present cells of real rows, which are scaled.

    Raises:
        MetricUnavailable: a column has fewer than 2 present cells.
    """
    features = {}
    for name, modality in modalities.items():
        cells = real.column(name)
        need_rows(len(cells), 2, f"present cells of {name!r}")
        vectorizer = (vectorizers or {}).get(name)
        features[name] = fit_features(modality, cells, vectorizer=vectorizer, seed=seed)
    return features


def column_vectors(features: Mapping[str, ColumnFeatures], batch: Batch) -> dict[str, Vectors]:
    """Vectors (N, F) of each column of a scaled batch that has features, NaN where a cell is missing."""
    vectors = {}
    for name, column in features.items():
        present = batch.mask(name)
        vectors[name] = np.full((len(batch), len(column.mean)), np.nan)
        vectors[name][present.numpy()] = column(batch.x[name][present])
    return vectors


def row_vectors(features: Mapping[str, ColumnFeatures], batch: Batch) -> Vectors:
    """Joined column vectors (N, F) of a scaled batch; 0, the mean, for missing cells."""
    return np.nan_to_num(np.concatenate(list(column_vectors(features, batch).values()), axis=1))


def with_holes_of(batch: Batch, real: Batch, seed: int = 0) -> Batch:
    """Rows with the missingness of random real rows, so that a comparison does not see holes alone."""
    rows = np.random.default_rng(seed).integers(0, len(real), len(batch))
    return replace(batch, present=batch.present & real.present[rows])
