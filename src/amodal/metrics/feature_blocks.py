"""Cells as inputs of scikit-learn models: sparse ones for linear models, few dense ones for neighbours and trees."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.preprocessing import OneHotEncoder

from amodal.media import Sound, fit_image, log_mel

Dense = NDArray[np.float64]

COMPONENTS = 64
_MOST_LABELS = 64
_MOST_TERMS = 30_000
_THUMBNAIL = 16
_WORDS = re.compile(r"\w+")


@dataclass(frozen=True)
class FeatureBlock:
    """Features of one column or of several, of the rows they are fitted to and of others; zeros for a missing cell.

    Attributes:
        wide: (rows, F) sparse, of both parts: all that a linear model can use.
        dense: (rows, up to about 64 a column), of both parts: the same in few numbers, for neighbours and trees.
    """

    wide: tuple[sparse.csr_matrix, sparse.csr_matrix]
    dense: tuple[Dense, Dense]

    def rows(self, fitted: NDArray[np.bool_], others: NDArray[np.bool_]) -> FeatureBlock:
        """Some rows of both parts."""
        return FeatureBlock(
            (self.wide[0][fitted], self.wide[1][others]), (self.dense[0][fitted], self.dense[1][others])
        )


def join_blocks(blocks: Sequence[FeatureBlock]) -> FeatureBlock:
    """Columns side by side; dense features of each have the same total variance, so that none rules distances."""
    wide = tuple(sparse.hstack([block.wide[part] for block in blocks]).tocsr() for part in (0, 1))
    scales = [np.sqrt(block.dense[0].var(axis=0).sum()) or 1.0 for block in blocks]
    dense = tuple(
        np.concatenate(
            [block.dense[part] / scale for block, scale in zip(blocks, scales, strict=True)], axis=1
        )
        for part in (0, 1)
    )
    return FeatureBlock((wide[0], wide[1]), (dense[0], dense[1]))


def text_block(fitted: Sequence[str], others: Sequence[str], *, max_terms: int = _MOST_TERMS) -> FeatureBlock:
    """Tf-idf of words and of pairs of neighbouring words; an empty text is a missing cell."""
    if not any(_WORDS.search(text) for text in fitted):
        return number_block(np.full((len(fitted), 1), np.nan), np.full((len(others), 1), np.nan))
    # Words of one character count too: scikit-learn's own pattern leaves them out.
    counter = TfidfVectorizer(
        ngram_range=(1, 2),
        tokenizer=_WORDS.findall,
        token_pattern=None,
        sublinear_tf=True,
        max_features=max_terms,
    )
    wide = counter.fit_transform(fitted), counter.transform(others)
    return FeatureBlock(wide, _in_few(*wide, COMPONENTS))


def label_block(fitted: Sequence[str], others: Sequence[str]) -> FeatureBlock:
    """One-hot labels, of which dense features have the 64 most frequent ones."""
    columns = [np.array(labels, object)[:, None] for labels in (fitted, others)]
    every = OneHotEncoder(handle_unknown="ignore").fit(columns[0])
    frequent = OneHotEncoder(
        max_categories=_MOST_LABELS, handle_unknown="infrequent_if_exist", sparse_output=False
    ).fit(columns[0])
    return FeatureBlock(
        (every.transform(columns[0]).tocsr(), every.transform(columns[1]).tocsr()),
        (frequent.transform(columns[0]), frequent.transform(columns[1])),
    )


def number_block(fitted: Dense, others: Dense, *, components: int | None = None) -> FeatureBlock:
    """Standardised numbers (rows, F), 0 where they are NaN, and beside them whether they are.

    Args:
        fitted: (N, F); a missing cell is a row of NaN.
        others: (M, F).
        components: of the dense features; all by default.
    """
    known = fitted[~np.isnan(fitted).any(axis=1)]
    mean, scale = (known.mean(0), known.std(0)) if len(known) else (0.0, np.ones(fitted.shape[1]))
    scale = np.where(scale > 0, scale, 1.0)

    def of(values: Dense) -> tuple[Dense, Dense]:
        missing: Dense = np.asarray(np.isnan(values).any(axis=1, keepdims=True), np.float64)
        return np.nan_to_num((values - mean) / scale), missing

    (one, one_missing), (other, other_missing) = of(fitted), of(others)
    few = (one, other) if components is None else _in_few(one, other, components)
    # A picture's hundreds of numbers weigh together as much as one, or a linear model would read nothing else.
    together = np.sqrt(one.shape[1])
    wide = (
        sparse.csr_matrix(np.hstack([one / together, one_missing])),
        sparse.csr_matrix(np.hstack([other / together, other_missing])),
    )
    return FeatureBlock(wide, (np.hstack([few[0], one_missing]), np.hstack([few[1], other_missing])))


def thumbnail(image: NDArray[np.uint8]) -> Dense:
    """An image in 16 x 16 points of three colours, 0 to 1: (768,)."""
    return np.asarray(fit_image(image, _THUMBNAIL, _THUMBNAIL, 3).astype(np.float64).ravel() / 255)


def mel_bands(sound: Sound) -> Dense:
    """The mean and the deviation of 64 mel bands, and the sound's seconds: (129,)."""
    bands = log_mel(sound.samples, sound.rate, target_rate=16_000, n_fft=1024, hop=256, mels=64)
    return np.concatenate([bands.mean(1), bands.std(1), [sound.seconds]]).astype(np.float64)


def _in_few(
    fitted: sparse.csr_matrix | Dense, others: sparse.csr_matrix | Dense, components: int
) -> tuple[Dense, Dense]:
    components = min(components, fitted.shape[1] - 1, fitted.shape[0] - 1)
    if components < 1:
        return _dense(fitted), _dense(others)
    with np.errstate(invalid="ignore"):  # of columns that are all zeros the explained share is 0/0
        decomposition = TruncatedSVD(components, random_state=0).fit(fitted)
    return decomposition.transform(fitted), decomposition.transform(others)


def _dense(matrix: sparse.csr_matrix | Dense) -> Dense:
    return np.asarray(matrix.toarray() if isinstance(matrix, sparse.csr_matrix) else matrix)
