"""Texts as the mean of their words' vectors."""

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
from torch.distributions import Distribution

from amodal.distributions import IsotropicNormal, RowNoise
from amodal.errors import RejectColumn
from amodal.modalities.modality import Modality
from amodal.modalities.text_column import (
    in_typical_order,
    join,
    most_frequent,
    split_all,
    split_cells,
    typical_places,
)
from amodal.modalities.text_tokens import TextTokens
from amodal.nn import Dense, LearnedScale

_MOST_WORDS = 2_000
_DIMENSIONS = 64
_WINDOW = 5
_LONGEST = 64
_REVISIONS = 3
_SAMPLE = 50_000
_DECIMALS = 6
"""Digits after the point that vectors are kept with, far above what the last bits of processors differ in."""
_TIED = 1e-4
"""Half squared distances closer than this are the same: those of words that stand alike differ by rounding alone."""
_BARRED = 1e12
"""More than half of any squared distance."""
_ROUNDING = 1e-6
"""Singular values closer than this, relative to the largest, are the same, and smaller ones none."""


@dataclass(frozen=True)
class TextEmbedding(Modality):
    """A text as the mean of vectors of its words, in lower case, which are learned from the column.

    The vectors are a truncated singular value decomposition of the words' positive pointwise mutual information
    (Levy, Goldberg & Dagan, "Improving distributional similarity with lessons learned from word embeddings",
    TACL 2015), the same on every processor up to a unit of their last digit. A cell's tensor has one number more,
    the logarithm of its words' count over the typical one.

    Attributes:
        vocabulary: the words that have a vector, up to 2,000, the most frequent first.
        vectors: their vectors one after another, up to 64 numbers each.
        places: where each usually first stands in a text, 0 for its start to 1 for its end.
        spacings: how far on it stands again, in texts that have it several times.
        longest: most words of a text that is made of a vector; by default the column's most, up to 64.
        typical: words of a text on average.
    """

    type: ClassVar[str] = "text"
    representation: ClassVar[str] = "embedding"
    unit: ClassVar[str] = "mean of word vectors; texts of the column have a root mean square of 1"
    latent: ClassVar[int | None] = 16
    draw_rank: ClassVar[int] = 1
    costly: ClassVar[bool] = True

    vocabulary: tuple[str, ...]
    vectors: tuple[float, ...]
    places: tuple[float, ...]
    spacings: tuple[float, ...]
    longest: int
    typical: float

    @classmethod
    def accepts(cls, cells: pd.Series[Any], root: Path | None) -> str:
        return TextTokens.accepts(cells, root)

    @classmethod
    def fit(cls, cells: pd.Series[Any], root: Path | None, **options: Any) -> Self:
        sample = cells if len(cells) <= _SAMPLE else cells.sample(_SAMPLE, random_state=0)
        texts = split_all(str(cell) for cell in sample)
        if not any(texts):
            raise RejectColumn("no cell has a word")
        vocabulary = most_frequent(texts, _MOST_WORDS)
        counts = CountVectorizer(analyzer=list, vocabulary=vocabulary).transform(texts)
        numbers = {word: number for number, word in enumerate(vocabulary)}
        vectors = _word_vectors([[numbers[word] for word in words if word in numbers] for words in texts])
        means = counts @ vectors / np.maximum(counts.sum(axis=1).A, 1)
        vectors /= np.sqrt(np.square(means).mean()) or 1.0
        places, spacings = typical_places(texts, numbers)
        lengths = np.array([len(words) for words in texts])
        state: dict[str, Any] = {
            "vocabulary": vocabulary,
            # Adding zero turns -0.0, a sign that rounding decides, to 0.0.
            "vectors": (vectors.ravel().round(_DECIMALS) + 0.0).tolist(),
            "places": places,
            "spacings": spacings,
            "longest": int(min(lengths.max(), _LONGEST)),
            "typical": float(lengths.mean()),
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
    def dtype(self) -> str:
        return "float32"

    @property
    def summary(self) -> str:
        return f"{len(self.vocabulary)} words, vectors of {self.shape[0] - 1}"

    @property
    def size(self) -> float:
        return float(self.shape[0])

    def to_tensor(self, cells: pd.Series[Any], root: Path | None) -> Tensor:
        texts = split_cells(cells)
        if not texts:
            return torch.empty(0, *self.shape)
        counts = CountVectorizer(analyzer=list, vocabulary=self.vocabulary).transform(texts)
        # A text without a word of the vocabulary is at the origin, where words are that say nothing.
        means = counts @ self._table / np.maximum(counts.sum(axis=1).A, 1)
        lengths = np.log(np.array([[len(words)] for words in texts]) / self.typical)
        return torch.from_numpy(np.hstack([means, lengths]).astype(np.float32))

    def features(self, tensor: Tensor) -> Tensor:
        """The mean vectors."""
        return tensor[:, :-1]

    def to_cells(self, tensor: Tensor) -> Sequence[Any]:
        """Find as many words as the text has, each the nearest to what the others leave of the vectors' sum.

        Of words that are equally near, one comes first that the text has not yet, then the most frequent.
        """
        rows = tensor.detach().double().cpu().numpy()
        if not len(rows):
            return []
        # Clipped before the exponential, which a wild draw would take to infinity.
        lengths = np.exp(rows[:, -1].clip(-10.0, 10.0)) * self.typical
        lengths = lengths.round().clip(1, self.longest).astype(int)
        # A word of zeros fills up the shorter texts.
        nothing, vectors = len(self.vocabulary), np.vstack([self._table, np.zeros(self.shape[0] - 1)])
        halves = np.square(vectors[:nothing]).sum(axis=1) / 2
        left = rows[:, :-1] * lengths[:, None]
        chosen = np.full((len(rows), lengths.max()), nothing)
        each, times = np.arange(len(rows)), np.zeros((len(rows), nothing + 1))
        # A text seldom has a word twice: begun with words that all differ, the revisions end nearer.
        for repetition in (_BARRED, *[2 * _TIED] * _REVISIONS):
            for place in range(lengths.max()):
                left += vectors[chosen[:, place]]
                times[each, chosen[:, place]] -= 1
                nearness = left @ vectors[:nothing].T - halves - repetition * times[:, :nothing]
                nearest = (nearness >= nearness.max(axis=1, keepdims=True) - _TIED).argmax(axis=1)
                chosen[:, place] = np.where(place < lengths, nearest, nothing)
                times[each, chosen[:, place]] += 1
                left -= vectors[chosen[:, place]]
        return [self._text(words[:length]) for words, length in zip(chosen.tolist(), lengths, strict=True)]

    def _text(self, words: Sequence[int]) -> str:
        return join([self.vocabulary[word] for word in in_typical_order(words, self.places, self.spacings)])

    def encoder(self, features: int) -> nn.Module:
        return nn.Sequential(Dense(self.shape[0], features, features), nn.GELU())

    def decoder(self, latent: int) -> nn.Module:
        return _EmbeddingDecoder(latent, self.shape[0])

    def draw(self, likelihood: Distribution, noise: RowNoise) -> Tensor:
        """The mean: noise around a sum of vectors is a word that nobody said."""
        return likelihood.mean


def _word_vectors(texts: Sequence[Sequence[int]]) -> np.ndarray[Any, Any]:
    """Vectors (words, dimensions) of words, given as numbers from 0, by what stands within five words of them.

    A word stands in its own neighbourhood, so that words without company have vectors too, and words that
    are always in the same company have not the same.
    """
    words = 1 + max(word for text in texts for word in text)
    if words == 1:
        return np.zeros((1, 1))
    together = sparse.csr_matrix((words, words))
    # Texts as one line with gaps wider than the neighbourhood: shifted by d, it meets itself d words on.
    line = np.array([word for text in texts for word in [*text, *[-1] * _WINDOW]])
    for distance in range(_WINDOW + 1):
        one, other = line[: len(line) - distance], line[distance:]
        both = (one >= 0) & (other >= 0)
        pairs = sparse.coo_matrix((np.ones(both.sum()), (one[both], other[both])), (words, words)).tocsr()
        together = together + pairs + pairs.T
    information = together.tocoo()
    sums = together.sum(axis=1).A1
    ratio = information.data * sums.sum() / (sums[information.row] * sums[information.col])
    information.data = np.maximum(np.log(ratio), 0.0)
    return leading_singular_vectors(information.toarray(), min(_DIMENSIONS, words))


def leading_singular_vectors(matrix: np.ndarray[Any, Any], most: int) -> np.ndarray[Any, Any]:
    """The leading left singular vectors of a symmetric matrix (N, N), each times its singular value: (N, K).

    Vectors of equal singular values are arbitrary up to a rotation, and a single one up to its sign. Both are set by
    projecting random directions, the same on every machine, onto the space of such vectors. So is the part of a
    space that is taken where `most` leaves no room for all of it. K is at most `most`, and less where the rank is.
    """
    values, vectors = eigh(matrix, driver="evd")
    values = np.abs(values)
    order = np.argsort(-values)
    values, vectors = values[order], vectors[:, order]
    rounding = _ROUNDING * values[0]
    rank = max(1, int((values > rounding).sum()))
    directions = np.random.default_rng(0).standard_normal((len(matrix), most))
    found: list[np.ndarray[Any, Any]] = []
    for equal in np.split(np.arange(rank), 1 + np.flatnonzero(-np.diff(values[:rank]) > rounding)):
        room = min(len(equal), most - equal[0])
        if room <= 0:
            break
        rotation, triangle = np.linalg.qr(vectors[:, equal].T @ directions[:, :room])
        found.append(vectors[:, equal] * values[equal] @ (rotation * np.sign(np.diag(triangle))))
    return np.hstack(found)


class _EmbeddingDecoder(nn.Module):
    def __init__(self, latent: int, numbers: int) -> None:
        super().__init__()
        self.network = Dense(latent, 128, numbers)
        self.scale = LearnedScale(start=1.0, floor=0.1)

    def forward(self, latents: Tensor) -> IsotropicNormal:
        return IsotropicNormal(self.network(latents), self.scale())
