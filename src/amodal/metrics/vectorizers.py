"""Cells as vectors that real and drawn ones are compared by, independent of any model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.feature_extraction.text import CountVectorizer
from torch import Tensor

from amodal.metrics.sampling import subsample
from amodal.metrics.textures import TextureFeatures
from amodal.modalities.tokenization import tokenize_all

Cells = Tensor | NDArray[Any]
"""Scaled cells (N, ...), or a table's own texts (N,), which keep the words that a model does not know."""
Vectorizer = Callable[[Any], NDArray[Any]]
"""`Cells` -> vectors (N, F)."""

_COMPONENTS = 64
_MOST_WORDS = 5_000
_NUMBERS_AT_ONCE = 2**25


def flatten(cells: Tensor) -> NDArray[np.float32]:
    """Cells (N, ...) as vectors (N, F) of their numbers."""
    return cells.reshape(len(cells), -1).float().numpy()


def principal_components(vectorize: Vectorizer, cells: Tensor, seed: int) -> Vectorizer:
    """Fit the 64 principal components of vectors; vectors of no more numbers stay as they are.

    Source: Pearson, "On lines and planes of closest fit to systems of points in space", 1901.
    """
    size = max(1, int(np.prod(cells.shape[1:])))
    vectors = vectorize(cells[subsample(len(cells), seed, max(2 * _COMPONENTS, _NUMBERS_AT_ONCE // size))])
    if vectors.shape[1] <= _COMPONENTS:
        return vectorize
    # Of cells that are all the same, the explained variance ratio is 0/0.
    with np.errstate(invalid="ignore"):
        pca = PCA(min(_COMPONENTS, len(vectors) - 1), random_state=seed).fit(vectors)
    return lambda cells: pca.transform(vectorize(cells))


def layout_and_texture(
    layout: Vectorizer, to_maps: Callable[[Tensor], NDArray[Any]], cells: Tensor
) -> Vectorizer:
    """Fit vectors of where a cell is bright, over its total deviation, and of its `TextureFeatures`.

    The few components of `principal_components` are smooth, so that blurring hardly moves a cell, and noise, which is
    near the mean in each of them, has neighbours among real cells. Neither holds for textures.

    Args:
        layout: cells -> vectors.
        to_maps: cells -> maps (N, H, W, C).
        cells: real ones.
    """
    texture = TextureFeatures(to_maps(cells))
    scale = float(np.sqrt(layout(cells).var(axis=0).sum())) or 1.0
    return lambda cells: np.hstack([layout(cells) / scale, texture(to_maps(cells))])


def word_counts(to_texts: Callable[[Cells], Sequence[str]], cells: Cells, seed: int) -> Vectorizer:
    """Fit word counts, reduced to 64 dimensions where there are more words.

    Source: latent semantic analysis, Deerwester et al., "Indexing by latent semantic analysis", JASIS 1990.
    """

    def words(cells: Cells) -> list[list[str]]:
        return tokenize_all(to_texts(cells))

    counter = CountVectorizer(analyzer=list, max_features=_MOST_WORDS, dtype=np.float64)
    counts = counter.fit_transform([*words(cells), ["."]])[:-1]  # CountVectorizer refuses an empty vocabulary
    if counts.shape[1] <= _COMPONENTS:
        return lambda cells: counter.transform(words(cells)).toarray()
    svd = TruncatedSVD(_COMPONENTS, random_state=seed).fit(counts)
    return lambda cells: svd.transform(counter.transform(words(cells)))
