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
from torch.distributions import Distribution

from amodal.distributions import BagOfWords, RowNoise
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
from amodal.nn import Dense

_MOST_WORDS = 5_000
_LONGEST = 256
_SAMPLE = 50_000
_MOST_OF_A_WORD = np.iinfo(np.int16).max


@dataclass(frozen=True)
class TextBagOfWords(Modality):
    """A text as how often it has each word of the column, in lower case (scikit-learn's `CountVectorizer`).

    A cell's tensor has one count more, before the others: the words outside the vocabulary.

    Attributes:
        vocabulary: the words, sorted; the 5,000 most frequent of a column that has more.
        places: where each usually first stands in a text, 0 for its start to 1 for its end.
        spacings: how far on it stands again, in texts that have it several times.
        longest: most words of a text that is drawn; by default the column's most, up to 256.
        typical: words of a text on average.
    """

    type: ClassVar[str] = "text"
    representation: ClassVar[str] = "bag_of_words"
    unit: ClassVar[str] = "times the word stands in the text"
    latent: ClassVar[int | None] = 16
    draw_rank: ClassVar[int] = 1
    costly: ClassVar[bool] = True

    vocabulary: tuple[str, ...]
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
        vocabulary = options.get("vocabulary", sorted(most_frequent(texts, _MOST_WORDS)))
        numbers = {word: number for number, word in enumerate(vocabulary)}
        places, spacings = typical_places(texts, numbers)
        lengths = np.array([len(words) for words in texts])
        state: dict[str, Any] = {
            "vocabulary": vocabulary,
            "places": places,
            "spacings": spacings,
            "longest": int(min(lengths.max(), _LONGEST)),
            "typical": float(lengths.mean()),
        }
        return cls.from_dict(state | options)

    @property
    def shape(self) -> tuple[int, ...]:
        return (1 + len(self.vocabulary),)

    @property
    def feature_shape(self) -> tuple[int, ...]:
        return (len(self.vocabulary),)

    @property
    def dtype(self) -> str:
        return "int16"

    @property
    def summary(self) -> str:
        return f"{len(self.vocabulary)} words, {self.typical:.1f} a text on average"

    @property
    def size(self) -> float:
        return min(max(self.typical, 1.0), float(self.shape[0]))

    def to_tensor(self, cells: pd.Series[Any], root: Path | None) -> Tensor:
        texts = split_cells(cells)
        counts = np.zeros((len(texts), *self.shape), np.int64)
        if texts:
            counter = CountVectorizer(analyzer=list, vocabulary=self.vocabulary)
            counts[:, 1:] = counter.transform(texts).toarray()
        counts[:, 0] = [len(words) for words in texts] - counts.sum(1)
        return torch.from_numpy(np.minimum(counts, _MOST_OF_A_WORD).astype(np.int16))

    def scaled(self, tensor: Tensor) -> Tensor:
        return tensor.float()

    def features(self, tensor: Tensor) -> Tensor:
        """The counts of the vocabulary's words, as `CountVectorizer.transform` gives them."""
        return tensor[:, 1:]

    def to_cells(self, tensor: Tensor) -> Sequence[Any]:
        counts = tensor.detach().round().long().cpu().numpy()[:, 1:]
        return [self._text(np.repeat(np.arange(len(row)), row).tolist()) for row in counts]

    def _text(self, words: Sequence[int]) -> str:
        return join([self.vocabulary[word] for word in in_typical_order(words, self.places, self.spacings)])

    def encoder(self, features: int) -> nn.Module:
        return _BagEncoder(self.shape[0], features)

    def decoder(self, latent: int) -> nn.Module:
        return _BagDecoder(latent, self.longest, self.shape[0])

    def draw(self, likelihood: Distribution, noise: RowNoise) -> Tensor:
        """The most probable words: drawn one by one they would repeat some and forget others."""
        return likelihood.mode


class _BagEncoder(nn.Module):
    def __init__(self, words: int, features: int) -> None:
        super().__init__()
        self.network = nn.Sequential(Dense(words, features, features), nn.GELU())

    def forward(self, counts: Tensor) -> Tensor:
        # Whether a word is there says more than how often.
        return self.network(torch.log1p(counts))


class _BagDecoder(nn.Module):
    def __init__(self, latent: int, longest: int, words: int) -> None:
        super().__init__()
        self.longest = longest
        self.network = Dense(latent, 128, longest + words)

    def forward(self, latents: Tensor) -> BagOfWords:
        scores = self.network(latents)
        return BagOfWords(scores[:, : self.longest], scores[:, self.longest :])
