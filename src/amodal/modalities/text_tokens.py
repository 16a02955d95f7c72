"""Texts as sequences of words."""

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

from amodal.distributions import TokenSequence
from amodal.distributions.sequence import END, UNKNOWN
from amodal.errors import BadCells, RejectColumn
from amodal.modalities.modality import Modality
from amodal.modalities.text_column import join, split
from amodal.nn import TokenDecoder, TokenEncoder

_LONGEST = 64
_MOST_WORDS = 20_000
_SAMPLE = 50_000


@dataclass(frozen=True)
class TextTokens(Modality):
    """A text as the numbers of its words in a vocabulary read from the column.

    Number 0 ends a text and fills what comes after, 1 stands for words outside the vocabulary.

    Attributes:
        vocabulary: the words, the most frequent first; word k has number k + 2.
        length: most words of a text; longer ones are cut.
    """

    type: ClassVar[str] = "text"
    representation: ClassVar[str] = "tokens"
    unit: ClassVar[str] = "number of a word in the vocabulary, from 2; 1 for other words, 0 after the end"
    draw_rank: ClassVar[int] = 1
    costly: ClassVar[bool] = True

    vocabulary: tuple[str, ...]
    length: int
    typical: float

    @classmethod
    def accepts(cls, cells: pd.Series[Any], root: Path | None) -> str:
        if not all(isinstance(cell, str) for cell in cells):
            raise RejectColumn("not text")
        words = cells.str.count(r"\s+").mean() + 1
        return f"text of {words:.1f} words on average"

    @classmethod
    def fit(cls, cells: pd.Series[Any], root: Path | None, **options: Any) -> Self:
        sample = cells if len(cells) <= _SAMPLE else cells.sample(_SAMPLE, random_state=0)
        texts = [split(str(cell)) for cell in sample]
        counts = Counter(word for text in texts for word in text)
        if not counts:
            raise RejectColumn("no cell has a word")
        # A word seen once teaches nothing; in a small table every word is kept.
        least = 2 if len(counts) > 2_000 else 1
        ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        words = tuple(word for word, count in ordered[:_MOST_WORDS] if count >= least)
        lengths = np.array([len(text) for text in texts])
        # Room for the longest text, unless a few are far longer than the rest.
        longest = int(min(lengths.max(), max(2 * np.quantile(lengths, 0.95), 8), _LONGEST))
        state: dict[str, Any] = {
            "vocabulary": words,
            "length": longest,
            "typical": float(np.minimum(lengths, longest).mean()),
        }
        return cls(**(state | options))

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.length,)

    @property
    def dtype(self) -> str:
        return "int32"

    @property
    def summary(self) -> str:
        return f"{len(self.vocabulary)} words, at most {self.length} a text"

    @property
    def size(self) -> float:
        return max(self.typical, 1.0)

    def to_tensor(self, cells: pd.Series[Any], root: Path | None) -> Tensor:
        numbers = {word: number for number, word in enumerate(self.vocabulary, start=2)}
        texts = [split(cell)[: self.length] if isinstance(cell, str) else [] for cell in cells]
        wrong = {
            row: "holds no word" if isinstance(cell, str) else f"{cell!r} is not text"
            for row, (cell, words) in enumerate(zip(cells, texts, strict=True))
            if not words
        }
        if wrong:
            raise BadCells(wrong)
        tokens = np.full((len(cells), self.length), END, dtype=np.int32)
        for row, words in enumerate(texts):
            tokens[row, : len(words)] = [numbers.get(word, UNKNOWN) for word in words]
        return torch.from_numpy(tokens)

    def vector(self, tensor: Tensor) -> Tensor:
        """How often each word stands in the text: what a first layer makes of it is a sum of word vectors."""
        counts = torch.zeros(len(tensor), len(self.vocabulary) + 2, device=tensor.device)
        counts.scatter_add_(1, tensor.long(), torch.ones_like(tensor, dtype=counts.dtype))
        return counts[:, 1:]  # without the END that fills up short texts

    def to_cells(self, tensor: Tensor) -> Sequence[Any]:
        words = ("", "", *self.vocabulary)
        return [join([words[token] for token in row if token > UNKNOWN]) for row in tensor.tolist()]

    def encoder(self, features: int) -> nn.Module:
        return TokenEncoder(len(self.vocabulary) + 2, features)

    def decoder(self, latent: int) -> nn.Module:
        return _TextDecoder(latent, len(self.vocabulary) + 2, self.length)


class _TextDecoder(nn.Module):
    def __init__(self, latent: int, tokens: int, length: int) -> None:
        super().__init__()
        self.network = TokenDecoder(latent, tokens)
        self.length = length

    def forward(self, latents: Tensor) -> TokenSequence:
        return TokenSequence(self.network, latents, self.length)
