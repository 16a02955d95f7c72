"""Texts as sequences of tokens."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from amodal.distributions.sequence import END, UNKNOWN
from amodal.errors import RejectColumn
from amodal.modalities.heads import TokenHead
from amodal.modalities.modality import Modality
from amodal.modalities.tokenization import detokenize, tokenize_cells, tokenize_sample
from amodal.nn import TokenEncoder

_MAX_LENGTH = 64
_MAX_VOCABULARY = 20_000
_MAX_LINEAR_WORDS = 8_192
_LINEAR_PAIRS = 4_096


@dataclass(frozen=True)
class TextTokens(Modality):
    """A text as the numbers of its words in a vocabulary read from the column.

    Number 0 ends a text and pads it, 1 is any word outside the vocabulary.

    Attributes:
        vocabulary: the words, the most frequent first; word k has number k + 2.
        length: most words of a text; longer ones are cut.
        mean_length: words of a text on average.
    """

    type: ClassVar[str] = "text"
    representation: ClassVar[str] = "tokens"
    unit: ClassVar[str] = "number of a word in the vocabulary, from 2; 1 for other words, 0 after the end"
    dtype: ClassVar[str] = "int32"
    draw_rank: ClassVar[int] = 1
    costly: ClassVar[bool] = True

    vocabulary: tuple[str, ...]
    length: int
    mean_length: float

    @classmethod
    def detect(cls, cells: pd.Series[Any], root: Path | None) -> str:
        if not all(isinstance(cell, str) for cell in cells):
            raise RejectColumn("not text")
        words = cells.str.count(r"\s+").mean() + 1
        return f"text of {words:.1f} words on average"

    @classmethod
    def fit(cls, cells: pd.Series[Any], root: Path | None, **options: Any) -> Self:
        texts = tokenize_sample(cells, lower=False)
        counts = Counter(word for text in texts for word in text)
        # A word's vector is not learned from one text; in a small table every word is kept.
        min_count = 2 if len(counts) > 2_000 else 1
        ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        words = tuple(word for word, count in ordered[:_MAX_VOCABULARY] if count >= min_count)
        lengths = np.array([len(text) for text in texts])
        # The longest text's, unless a few are far longer than the rest.
        length = int(min(lengths.max(), max(2 * np.quantile(lengths, 0.95), 8), _MAX_LENGTH))
        state: dict[str, Any] = {
            "vocabulary": words,
            "length": length,
            "mean_length": float(np.minimum(lengths, length).mean()),
        }
        return cls(**(state | options))

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.length,)

    @property
    def summary(self) -> str:
        return f"{len(self.vocabulary)} words, at most {self.length} a text"

    @property
    def size(self) -> float:
        return max(self.mean_length, 1.0)

    def to_tensor(self, cells: pd.Series[Any], root: Path | None) -> Tensor:
        numbers = {word: number for number, word in enumerate(self.vocabulary, start=2)}
        texts = tokenize_cells(cells, lower=False)
        tokens = np.full((len(cells), self.length), END, dtype=np.int32)
        for row, words in zip(tokens, texts, strict=True):
            known = [numbers.get(word, UNKNOWN) for word in words[: self.length]]
            row[: len(known)] = known
        return torch.from_numpy(tokens)

    def vector(self, tensor: Tensor) -> Tensor:
        """The counts of the words: a linear layer sums word vectors."""
        counts = torch.zeros(len(tensor), len(self.vocabulary) + 2, device=tensor.device)
        counts.scatter_add_(1, tensor.long(), torch.ones_like(tensor, dtype=counts.dtype))
        return counts[:, 1:]  # without END, the padding

    def linear_features(self, tensor: Tensor) -> Tensor:
        """Indicators of a text's frequent tokens and hashed pairs of neighbours, of unit length."""
        tokens = tensor.long()
        words, size = min(len(self.vocabulary) + 2, _MAX_LINEAR_WORDS), len(tokens)
        pairs = (tokens[:, :-1] * 1_000_003 + tokens[:, 1:] * 7_919) % _LINEAR_PAIRS + words
        pairs = torch.where(tokens[:, 1:] == END, END, pairs)
        features = torch.zeros(size, words + _LINEAR_PAIRS, device=tensor.device)
        features.scatter_(1, torch.where(tokens < words, tokens, END), 1.0).scatter_(1, pairs, 1.0)
        features[:, END] = 0.0
        return nn.functional.normalize(features, dim=1)

    def to_cells(self, tensor: Tensor) -> Sequence[Any]:
        words = ("", "", *self.vocabulary)
        return [detokenize([words[token] for token in row if token > UNKNOWN]) for row in tensor.tolist()]

    def encoder(self, features: int) -> nn.Module:
        return TokenEncoder(len(self.vocabulary) + 2, features)

    def head(self, context: int) -> nn.Module:
        return TokenHead(context, len(self.vocabulary) + 2, self.length)
