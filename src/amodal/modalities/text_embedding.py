"""Texts as means of word vectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
import torch
from scipy import sparse
from scipy.linalg import eigh
from sklearn.feature_extraction.text import CountVectorizer
from torch import Tensor, nn

from amodal.modalities.heads import IsotropicNormalHead
from amodal.modalities.modality import Modality
from amodal.modalities.text_tokens import TextTokens
from amodal.modalities.tokenization import (
    detokenize,
    mean_positions,
    most_frequent,
    sort_by_position,
    tokenize_cells,
    tokenize_sample,
)
from amodal.nn import Dense

_MAX_VOCABULARY = 2_000
_DIMENSIONS = 64
_WINDOW = 5
_MAX_LENGTH = 64
_REVISIONS = 3
_DECIMALS = 6
"""Digits after the point that vectors are kept with, far above what the last bits of processors differ in."""
_TIE = 1e-4
"""Half squared distances closer than this are equal: those of words with equal neighbours differ by rounding alone."""
_FORBIDDEN = 1e12
"""A penalty above half of any squared distance."""
_ROUNDING = 1e-6
"""Singular values closer than this, relative to the largest, are equal, and smaller ones zero."""


@dataclass(frozen=True)
class TextEmbedding(Modality):
    """A text as the mean of vectors of its words, in lower case, which are learned from the column.

    The vectors are a truncated singular value decomposition of the words' positive pointwise mutual information
    (Levy, Goldberg & Dagan, "Improving distributional similarity with lessons learned from word embeddings",
    TACL 2015), the same on every processor up to a unit of their last digit. The last number of a cell's tensor is
    the logarithm of its number of words over their mean.

    Attributes:
        vocabulary: the words that have a vector, up to 2,000, the most frequent first.
        vectors: their vectors, concatenated, up to 64 numbers each.
        positions: mean position of each word's first occurrence, 0 for a text's start to 1 for its end.
        spacings: mean distance to its next occurrence, in texts that have it several times.
        length: most words of a text that is drawn; by default the column's longest, up to 64.
        mean_length: words of a text on average.
    """

    type: ClassVar[str] = "text"
    representation: ClassVar[str] = "embedding"
    unit: ClassVar[str] = "mean of word vectors; texts of the column have a root mean square of 1"
    dtype: ClassVar[str] = "float32"
    latent: ClassVar[int | None] = 16
    draw_rank: ClassVar[int] = 1

    vocabulary: tuple[str, ...]
    vectors: tuple[float, ...]
    positions: tuple[float, ...]
    spacings: tuple[float, ...]
    length: int
    mean_length: float

    @classmethod
    def detect(cls, cells: pd.Series[Any], root: Path | None) -> str:
        return TextTokens.detect(cells, root)

    @classmethod
    def fit(cls, cells: pd.Series[Any], root: Path | None, **options: Any) -> Self:
        texts = tokenize_sample(cells)
        vocabulary = most_frequent(texts, _MAX_VOCABULARY)
        counts = CountVectorizer(analyzer=list, vocabulary=vocabulary).transform(texts)
        numbers = {word: number for number, word in enumerate(vocabulary)}
        vectors = _word_vectors([[numbers[word] for word in words if word in numbers] for words in texts])
        means = counts @ vectors / np.maximum(counts.sum(axis=1).A, 1)
        vectors /= np.sqrt(np.square(means).mean()) or 1.0
        positions, spacings = mean_positions(texts, numbers)
        lengths = np.array([len(words) for words in texts])
        state: dict[str, Any] = {
            "vocabulary": vocabulary,
            # Adding zero turns -0.0, a sign that rounding decides, to 0.0.
            "vectors": (vectors.ravel().round(_DECIMALS) + 0.0).tolist(),
            "positions": positions,
            "spacings": spacings,
            "length": int(min(lengths.max(), _MAX_LENGTH)),
            "mean_length": float(lengths.mean()),
        }
        return cls.from_dict(state | options)

    @property
    def _table(self) -> np.ndarray[Any, Any]:
        """The vectors, (words, dimensions)."""
        return np.array(self.vectors).reshape(len(self.vocabulary), -1)

    @property
    def shape(self) -> tuple[int, ...]:
        return (len(self.vectors) // len(self.vocabulary) + 1,)

    @property
    def feature_shape(self) -> tuple[int, ...]:
        return (self.shape[0] - 1,)

    @property
    def scoring_cost(self) -> float:
        return 1.0

    @property
    def summary(self) -> str:
        return f"{len(self.vocabulary)} words, vectors of {self.shape[0] - 1}"

    def to_tensor(self, cells: pd.Series[Any], root: Path | None) -> Tensor:
        texts = tokenize_cells(cells)
        if not texts:
            return torch.empty(0, *self.shape)
        counts = CountVectorizer(analyzer=list, vocabulary=self.vocabulary).transform(texts)
        # A text without a word of the vocabulary is at the origin.
        means = counts @ self._table / np.maximum(counts.sum(axis=1).A, 1)
        lengths = np.log(np.array([[len(words)] for words in texts]) / self.mean_length)
        return torch.from_numpy(np.hstack([means, lengths]).astype(np.float32))

    def features(self, tensor: Tensor) -> Tensor:
        """The mean vectors."""
        return tensor[:, :-1]

    def to_cells(self, tensor: Tensor) -> Sequence[Any]:
        """Find as many words as the text has, each the nearest to the residual of the vectors' sum without it.

        Of equally near words the first is one that the text has not yet, then the most frequent.
        """
        rows = tensor.detach().double().cpu().numpy()
        if not len(rows):
            return []
        # Clipped before the exponential, which an extreme draw would take to infinity.
        lengths = np.exp(rows[:, -1].clip(-10.0, 10.0)) * self.mean_length
        lengths = lengths.round().clip(1, self.length).astype(int)
        # A padding word of zeros fills up the shorter texts.
        padding, vectors = len(self.vocabulary), np.vstack([self._table, np.zeros(self.shape[0] - 1)])
        halves = np.square(vectors[:padding]).sum(axis=1) / 2
        residual = rows[:, :-1] * lengths[:, None]
        chosen = np.full((len(rows), lengths.max()), padding)
        every, counts = np.arange(len(rows)), np.zeros((len(rows), padding + 1))
        # A text seldom has a word twice: begun with words that all differ, the revisions end nearer.
        for repetition in (_FORBIDDEN, *[2 * _TIE] * _REVISIONS):
            for position in range(lengths.max()):
                residual += vectors[chosen[:, position]]
                counts[every, chosen[:, position]] -= 1
                nearness = residual @ vectors[:padding].T - halves - repetition * counts[:, :padding]
                nearest = (nearness >= nearness.max(axis=1, keepdims=True) - _TIE).argmax(axis=1)
                chosen[:, position] = np.where(position < lengths, nearest, padding)
                counts[every, chosen[:, position]] += 1
                residual -= vectors[chosen[:, position]]
        return [self._text(words[:length]) for words, length in zip(chosen.tolist(), lengths, strict=True)]

    def _text(self, words: Sequence[int]) -> str:
        order = sort_by_position(words, self.positions, self.spacings)
        return detokenize([self.vocabulary[word] for word in order])

    def encoder(self, features: int) -> nn.Module:
        return nn.Sequential(Dense(self.shape[0], features, features), nn.GELU())

    def head(self, context: int) -> nn.Module:
        return IsotropicNormalHead(Dense(context, 128, self.shape[0]), scale=1.0, floor=0.1)


def _word_vectors(texts: Sequence[Sequence[int]]) -> np.ndarray[Any, Any]:
    """Vectors (words, dimensions) of words, given as numbers from 0, from co-occurrence within five words.

    A word co-occurs with itself, so that words that are texts of their own have vectors too, and words that
    always have the same neighbours have different ones.
    """
    words = 1 + max(word for text in texts for word in text)
    if words == 1:
        return np.zeros((1, 1))
    counts = sparse.csr_matrix((words, words))
    # Texts on one line with gaps wider than the window: compared with itself shifted by d, it pairs words d apart.
    line = np.array([word for text in texts for word in [*text, *[-1] * _WINDOW]])
    for distance in range(_WINDOW + 1):
        left, right = line[: len(line) - distance], line[distance:]
        both = (left >= 0) & (right >= 0)
        pairs = sparse.coo_matrix((np.ones(both.sum()), (left[both], right[both])), (words, words)).tocsr()
        counts = counts + pairs + pairs.T
    information = counts.tocoo()
    sums = counts.sum(axis=1).A1
    ratio = information.data * sums.sum() / (sums[information.row] * sums[information.col])
    information.data = np.maximum(np.log(ratio), 0.0)
    return truncated_svd(information.toarray(), min(_DIMENSIONS, words))


def truncated_svd(matrix: np.ndarray[Any, Any], components: int) -> np.ndarray[Any, Any]:
    """The leading left singular vectors of a symmetric matrix (N, N), each times its singular value: (N, K).

    Vectors of equal singular values are arbitrary up to a rotation, and a single one up to its sign. Both are fixed by
    projecting random directions, the same on every machine, onto the space of such vectors. So is the part of a
    space that is taken where `components` ends within it. K is at most `components`, and less where the rank is.
    """
    values, vectors = eigh(matrix, driver="evd")
    values = np.abs(values)
    order = np.argsort(-values)
    values, vectors = values[order], vectors[:, order]
    rounding = _ROUNDING * values[0]
    rank = max(1, int((values > rounding).sum()))
    directions = np.random.default_rng(0).standard_normal((len(matrix), components))
    spaces: list[np.ndarray[Any, Any]] = []
    for equal in np.split(np.arange(rank), 1 + np.flatnonzero(-np.diff(values[:rank]) > rounding)):
        size = min(len(equal), components - equal[0])
        if size <= 0:
            break
        rotation, triangle = np.linalg.qr(vectors[:, equal].T @ directions[:, :size])
        spaces.append(vectors[:, equal] * values[equal] @ (rotation * np.sign(np.diag(triangle))))
    return np.hstack(spaces)
