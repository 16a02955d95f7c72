"""Texts as sequences of tokens."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from amodal.distributions import RowNoise
from amodal.distributions.sequence import END, UNKNOWN
from amodal.errors import BadCells, RejectColumn
from amodal.modalities.heads import TokenHead
from amodal.modalities.modality import Modality
from amodal.modalities.subwords import SubwordTokenizer, learn_subwords, split_words
from amodal.nn import TokenEncoder

_MIN_LENGTH, _MAX_LENGTH = 16, 512
_MAX_VOCABULARY = 4_000
_MAX_SAMPLE = 50_000
_MAX_BUCKETS = 14
_DROPPED = 0.1
_TYPICAL_LENGTH = 16
"""Pieces of a text whose scoring costs one."""
_LINEAR_PAIRS = 8_192


@dataclass(frozen=True)
class TextTokens(Modality):
    """A text as the numbers of its pieces in a vocabulary of words and parts of words, learned from the column.

    Frequent words are pieces, rare and unseen ones are split; see `learn_subwords`. Number 0 ends a text and pads it,
    1 is a character that the column does not have; white space that it does not have is read as a space.

    Attributes:
        vocabulary: the pieces, in the order they are merged in; piece k has number k + 2.
        document_counts: texts that contain each piece.
        num_texts: texts that were counted.
        length: most pieces of a text, 512 or fewer; longer texts are cut.
        mean_length: pieces of a text on average.
    """

    type: ClassVar[str] = "text"
    representation: ClassVar[str] = "tokens"
    unit: ClassVar[str] = (
        "number of a piece in the vocabulary, from 2; 1 for an unknown character, 0 after the end"
    )
    dtype: ClassVar[str] = "int32"
    draw_rank: ClassVar[int] = 1

    vocabulary: tuple[str, ...]
    document_counts: tuple[int, ...]
    num_texts: int
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
        sample = cells if len(cells) <= _MAX_SAMPLE else cells.sample(_MAX_SAMPLE, random_state=0)
        texts = [str(cell) for cell in sample if str(cell).strip()]
        if not texts:
            raise RejectColumn("no cell has a word")
        frequency = Counter(word for text in texts for word in split_words(text))
        vocabulary = tuple(options.get("vocabulary", learn_subwords(frequency, _MAX_VOCABULARY)))
        tokenizer = SubwordTokenizer(vocabulary)
        pieces = [tokenizer.pieces(text) for text in texts]
        documents = Counter(piece for text in pieces for piece in set(text))
        lengths = np.array([len(text) for text in pieces])
        # The longest text's, unless a few are far longer than the rest; unseen words need some room.
        length = int(min(max(min(lengths.max(), 2 * np.quantile(lengths, 0.95)), _MIN_LENGTH), _MAX_LENGTH))
        state: dict[str, Any] = {
            "vocabulary": vocabulary,
            "document_counts": tuple(documents[piece] for piece in vocabulary),
            "num_texts": len(texts),
            "length": length,
            "mean_length": float(np.minimum(lengths, length).mean()),
        }
        return cls(**(state | options))

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.length,)

    @property
    def summary(self) -> str:
        return f"{len(self.vocabulary)} words and parts of words, at most {self.length} a text"

    @property
    def scoring_cost(self) -> float:
        return max(self.mean_length / _TYPICAL_LENGTH, 1.0)

    @property
    def size(self) -> float:
        return max(self.mean_length, 1.0)

    def to_tensor(self, cells: pd.Series[Any], root: Path | None) -> Tensor:
        tokenizer = SubwordTokenizer(self.vocabulary)
        tokens = np.full((len(cells), self.length), END, dtype=np.int32)
        wrong = {}
        for row, cell in enumerate(cells):
            if not isinstance(cell, str):
                wrong[row] = f"{cell!r} is not text"
            elif not cell.strip():
                wrong[row] = "holds no word"
            else:
                pieces = tokenizer.pieces(cell, self.length)
                tokens[row, : len(pieces)] = [tokenizer.numbers.get(piece, -1) + 2 for piece in pieces]
        if wrong:
            raise BadCells(wrong)
        return torch.from_numpy(tokens)

    def vector(self, tensor: Tensor) -> Tensor:
        """The counts of the words: a linear layer sums word vectors."""
        counts = torch.zeros(len(tensor), len(self.vocabulary) + 2, device=tensor.device)
        counts.scatter_add_(1, tensor.long(), torch.ones_like(tensor, dtype=counts.dtype))
        return counts[:, 1:]  # without END, the padding

    def linear_features(self, tensor: Tensor) -> Tensor:
        """Indicators of a text's frequent tokens and hashed pairs of neighbours, of unit length."""
        tokens = tensor.long()
        words, size = len(self.vocabulary) + 2, len(tokens)
        pairs = (tokens[:, :-1] * 1_000_003 + tokens[:, 1:] * 7_919) % _LINEAR_PAIRS + words
        pairs = torch.where(tokens[:, 1:] == END, END, pairs)
        features = torch.zeros(size, words + _LINEAR_PAIRS, device=tensor.device)
        features.scatter_(1, tokens, 1.0).scatter_(1, pairs, 1.0)
        features[:, END] = 0.0
        return nn.functional.normalize(features, dim=1)

    def to_cells(self, tensor: Tensor) -> Sequence[Any]:
        tokenizer = SubwordTokenizer(self.vocabulary)
        pieces = ("", "", *self.vocabulary)
        return [tokenizer.text(pieces[token] for token in row if token > UNKNOWN) for row in tensor.tolist()]

    def augment(self, tensor: Tensor, noise: RowNoise) -> Tensor:
        """Replace a tenth of the pieces by the unknown one."""
        dropped = noise.uniform(self.length) < _DROPPED
        return torch.where(dropped & (tensor > UNKNOWN), torch.full_like(tensor, UNKNOWN), tensor)

    def encoder(self, features: int) -> nn.Module:
        counts = torch.tensor([0, 0, *self.document_counts])
        weights = 1.0 + torch.log((1 + self.num_texts) / (1 + counts))
        pairs = self.num_texts * self.mean_length
        buckets = 2 ** min(max(math.ceil(math.log2(pairs)), 8), _MAX_BUCKETS)
        return TokenEncoder(weights, features, buckets=buckets)

    def head(self, context: int) -> nn.Module:
        # The fewer tokens a decoder learns from, the sooner it learns them by heart.
        dropout = min(max(0.7 - 0.1 * math.log10(self.num_texts * self.mean_length), 0.1), 0.4)
        return TokenHead(context, len(self.vocabulary) + 2, self.length, dropout=dropout)
