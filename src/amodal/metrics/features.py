"""Vectors of cells in which real and drawn ones are compared, without any model's help."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.feature_extraction.text import CountVectorizer
from torch import Tensor

from amodal.batch import Batch
from amodal.metrics.estimate import need_rows
from amodal.metrics.sampling import subsample
from amodal.modalities import Modality
from amodal.modalities.tokenization import tokenize_all

Vectors = NDArray[np.float64]
Vectorise = Callable[[Tensor], NDArray[Any]]

_COMPONENTS = 64
_MOST_WORDS = 5_000
_FURTHEST = 3.0
_NUMBERS_AT_ONCE = 2**25
_ROWS_AT_ONCE = 512


@dataclass(frozen=True)
class ColumnFeatures:
    """Turns a column's cells to vectors.

    Those of the real cells it was fitted to have the mean 0 and the total variance 1. So no column drowns the
    others where their vectors are joined, and a squared distance of 1 is that of a real cell from the mean.

    Attributes:
        vectorise: scaled cells (N, ...) -> vectors (N, F).
        mean: (F,), of the real cells' vectors.
        scale: root of their total variance; 1 where they are all the same.
    """

    vectorise: Vectorise
    mean: Vectors
    scale: float

    def __call__(self, cells: Tensor) -> Vectors:
        """Scaled cells (N, ...), as `scaled_batch` or a model's draws have them, to vectors (N, F)."""
        pieces = [self._vectors(piece) for piece in cells.split(_ROWS_AT_ONCE)] if len(cells) else []
        return np.concatenate([np.empty((0, len(self.mean))), *pieces])

    def _vectors(self, cells: Tensor) -> Vectors:
        return (np.asarray(self.vectorise(cells), np.float64) - self.mean) / self.scale


def scaled_batch(batch: Batch, modalities: Mapping[str, Modality]) -> Batch:
    """Stored tensors become what likelihoods score, and therefore what models draw."""
    return replace(batch, x={name: modality.scale(batch.x[name]) for name, modality in modalities.items()})


def fit_features(
    modality: Modality, cells: Tensor, *, own: Vectorise | None = None, seed: int = 0
) -> ColumnFeatures:
    """Learn vectors of a column from its real cells, up to 2,000 of them.

    Pictures and sounds become their 64 principal components (Pearson, 1901), texts those of their word counts
    (latent semantic analysis: Deerwester et al., 1990), numbers stay what their modality scaled them to, and
    categories are one-hot. Pictures, numbers and texts are taken as the cells that a user gets, rounded.

    Args:
        modality: the column's.
        cells: real ones, scaled: (N, ...).
        own: scaled cells (N, ...) -> vectors (N, F), in place of these.
        seed: of the subsample and of the decompositions.

    Raises:
        LeftOut: there are fewer than 2 cells.
    """
    need_rows(len(cells), 2, "present cells")
    cells = cells[subsample(len(cells), seed)]
    vectorise = own or _vectorise(modality, cells, seed)
    vectors = np.asarray(vectorise(cells), np.float64)
    variance = float(vectors.var(axis=0).sum())
    return ColumnFeatures(vectorise, vectors.mean(axis=0), np.sqrt(variance) if variance > 1e-12 else 1.0)


def fit_table_features(
    real: Batch,
    modalities: Mapping[str, Modality],
    *,
    own: Mapping[str, Vectorise] | None = None,
    seed: int = 0,
) -> dict[str, ColumnFeatures]:
    """`fit_features` of each column to the present cells of real rows, which are scaled.

    Raises:
        LeftOut: a column has fewer than 2 present cells.
    """
    features = {}
    for name, modality in modalities.items():
        cells = real.column(name)
        need_rows(len(cells), 2, f"present cells of {name!r}")
        features[name] = fit_features(modality, cells, own=(own or {}).get(name), seed=seed)
    return features


def column_vectors(features: Mapping[str, ColumnFeatures], batch: Batch) -> dict[str, Vectors]:
    """The vectors (N, F) of each column of a scaled batch that has features, NaN where its cell is missing."""
    vectors = {}
    for name, column in features.items():
        present = batch.mask(name)
        vectors[name] = np.full((len(batch), len(column.mean)), np.nan)
        vectors[name][present.numpy()] = column(batch.x[name][present])
    return vectors


def row_vectors(features: Mapping[str, ColumnFeatures], batch: Batch) -> Vectors:
    """Rows of a scaled batch as vectors (N, F): their columns' beside each other, 0, the mean, for missing cells."""
    return np.nan_to_num(np.concatenate(list(column_vectors(features, batch).values()), axis=1))


def with_holes_of(batch: Batch, real: Batch, seed: int = 0) -> Batch:
    """Rows with the holes of real rows drawn at random: what is compared should not differ by its holes alone."""
    rows = np.random.default_rng(seed).integers(0, len(real), len(batch))
    return replace(batch, present=batch.present & real.present[rows])


def _vectorise(modality: Modality, cells: Tensor, seed: int) -> Vectorise:
    if modality.type == "text":
        return _word_counts(modality, cells, seed)
    flat = partial(_FLAT[modality.type], modality)
    return flat if modality.suffix is None else _principal(flat, cells, seed)


def _pictures(modality: Modality, cells: Tensor) -> NDArray[Any]:
    return np.stack(modality.to_cells(cells)).reshape(len(cells), -1).astype(np.float32)


def _sounds(_: Modality, cells: Tensor) -> NDArray[Any]:
    # No waveform is searched for: what a spectrogram lacks, its phase, is no part of the comparison.
    return _flat(cells)


def _numbers(modality: Modality, cells: Tensor) -> NDArray[Any]:
    rounded = modality.to_tensor(pd.Series(modality.to_cells(cells)), None)
    # The least and the greatest number of a column are infinitely rare quantiles.
    return _flat(modality.scale(rounded)).clip(-_FURTHEST, _FURTHEST)


def _categories(modality: Modality, cells: Tensor) -> NDArray[Any]:
    return modality.features(cells).numpy()


_FLAT: Mapping[str, Callable[[Modality, Tensor], NDArray[Any]]] = {
    "image": _pictures,
    "audio": _sounds,
    "number": _numbers,
    "category": _categories,
}


def _word_counts(modality: Modality, cells: Tensor, seed: int) -> Vectorise:
    def words(cells: Tensor) -> list[list[str]]:
        return tokenize_all(modality.to_cells(cells))

    counter = CountVectorizer(analyzer=list, max_features=_MOST_WORDS, dtype=np.float64)
    counts = counter.fit_transform([*words(cells), ["."]])[:-1]  # a column without words has one all the same
    if counts.shape[1] <= _COMPONENTS:
        return lambda cells: counter.transform(words(cells)).toarray()
    decomposition = TruncatedSVD(_COMPONENTS, random_state=seed).fit(counts)
    return lambda cells: decomposition.transform(counter.transform(words(cells)))


def _flat(cells: Tensor) -> NDArray[np.float32]:
    return cells.reshape(len(cells), -1).float().numpy()


def _principal(flat: Vectorise, cells: Tensor, seed: int) -> Vectorise:
    size = max(1, int(np.prod(cells.shape[1:])))
    vectors = flat(cells[subsample(len(cells), seed, most=max(2 * _COMPONENTS, _NUMBERS_AT_ONCE // size))])
    if vectors.shape[1] <= _COMPONENTS:
        return flat
    components = min(_COMPONENTS, len(vectors) - 1)
    # Of cells that are all the same, the share that each component explains is 0/0.
    with np.errstate(invalid="ignore"):
        decomposition = PCA(components, random_state=seed).fit(vectors)
    return lambda cells: decomposition.transform(flat(cells))
