"""Texts as bags of words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
import torch
from sklearn.feature_extraction.text import CountVectorizer
from torch import Tensor, nn

from amodal.modalities.heads import BagOfWordsHead
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

_MAX_VOCABULARY = 5_000
_MAX_LENGTH = 256
_MAX_COUNT = np.iinfo(np.int16).max


@dataclass(frozen=True)
class TextBagOfWords(Modality):
    """A text as the counts of the column's words, in lower case (scikit-learn's `CountVectorizer`).

    The first count of a cell's tensor is of words outside the vocabulary.

    Attributes:
        vocabulary: the words, sorted; the 5,000 most frequent of a column that has more.
        positions: mean position of each word's first occurrence, 0 for a text's start to 1 for its end.
        spacings: mean distance to its next occurrence, in texts that have it several times.
        length: most words of a text that is drawn; by default the column's longest, up to 256.
        mean_length: words of a text on average.
    """

    type: ClassVar[str] = "text"
    representation: ClassVar[str] = "bag_of_words"
    unit: ClassVar[str] = "count of the word in the text"
    dtype: ClassVar[str] = "int16"
    latent: ClassVar[int | None] = 16
    draw_rank: ClassVar[int] = 1

    vocabulary: tuple[str, ...]
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
        vocabulary = options.get("vocabulary", sorted(most_frequent(texts, _MAX_VOCABULARY)))
        numbers = {word: number for number, word in enumerate(vocabulary)}
        positions, spacings = mean_positions(texts, numbers)
        lengths = np.array([len(words) for words in texts])
        state: dict[str, Any] = {
            "vocabulary": vocabulary,
            "positions": positions,
            "spacings": spacings,
            "length": int(min(lengths.max(), _MAX_LENGTH)),
            "mean_length": float(lengths.mean()),
        }
        return cls.from_dict(state | options)

    @property
    def shape(self) -> tuple[int, ...]:
        return (1 + len(self.vocabulary),)

    @property
    def feature_shape(self) -> tuple[int, ...]:
        return (len(self.vocabulary),)

    @property
    def scoring_cost(self) -> float:
        return 1.0

    @property
    def summary(self) -> str:
        return f"{len(self.vocabulary)} words, {self.mean_length:.1f} a text on average"

    @property
    def size(self) -> float:
        return min(max(self.mean_length, 1.0), float(self.shape[0]))

    def to_tensor(self, cells: pd.Series[Any], root: Path | None) -> Tensor:
        texts = tokenize_cells(cells)
        counts = np.zeros((len(texts), *self.shape), np.int64)
        if texts:
            counter = CountVectorizer(analyzer=list, vocabulary=self.vocabulary)
            counts[:, 1:] = counter.transform(texts).toarray()
        counts[:, 0] = [len(words) for words in texts] - counts.sum(1)
        return torch.from_numpy(np.minimum(counts, _MAX_COUNT).astype(np.int16))

    def scale(self, tensor: Tensor) -> Tensor:
        return tensor.float()

    def features(self, tensor: Tensor) -> Tensor:
        """The counts of the vocabulary's words, as `CountVectorizer.transform` gives them."""
        return tensor[:, 1:]

    def to_cells(self, tensor: Tensor) -> Sequence[Any]:
        counts = tensor.detach().round().long().cpu().numpy()[:, 1:]
        return [self._text(np.repeat(np.arange(len(row)), row).tolist()) for row in counts]

    def _text(self, words: Sequence[int]) -> str:
        order = sort_by_position(words, self.positions, self.spacings)
        return detokenize([self.vocabulary[word] for word in order])

    def encoder(self, features: int) -> nn.Module:
        return _BagEncoder(self.shape[0], features)

    def head(self, context: int) -> nn.Module:
        return BagOfWordsHead(context, self.length, self.shape[0])


class _BagEncoder(nn.Module):
    def __init__(self, words: int, features: int) -> None:
        super().__init__()
        self.network = nn.Sequential(Dense(words, features, features), nn.GELU())

    def forward(self, counts: Tensor) -> Tensor:
        # The logarithm, since a word's presence matters more than its count.
        return self.network(torch.log1p(counts))
