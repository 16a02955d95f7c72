"""Words of texts, and texts of words."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from amodal.errors import BadCells, RejectColumn

# Han, Hiragana, Katakana, their punctuation and full-width forms, Thai, Lao, Myanmar and Khmer: scripts that
# put no space between words.
UNSPACED = (
    r"\u3000-\u303f\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff00-\uffef"
    r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\U00020000-\U0002fa1f"
)
_PIECES = re.compile(rf"[{UNSPACED}]|[^{UNSPACED}]+")
_IS_UNSPACED = re.compile(rf"[{UNSPACED}]")
_MAX_SAMPLE = 50_000


def tokenize(text: str) -> list[str]:
    """Words and punctuation of a text, by NLTK's tokenizer; characters where a script has no spaces.

    Example:
        >>> tokenize("It's a 7, isn't it?")
        ['It', "'s", 'a', '7', ',', 'is', "n't", 'it', '?']
        >>> tokenize("一个粗的7")
        ['一', '个', '粗', '的', '7']
    """
    from nltk.tokenize import NLTKWordTokenizer

    words = NLTKWordTokenizer().tokenize(text)
    return [piece for word in words for piece in _PIECES.findall(word)]


def detokenize(words: Sequence[str]) -> str:
    """A text of words, spaced as its script is.

    Example:
        >>> detokenize(["It", "'s", "a", "7", ",", "is", "n't", "it", "?"])
        "It's a 7, isn't it?"
        >>> detokenize(["一", "个", "粗", "的", "7"])
        '一个粗的7'
    """
    from nltk.tokenize.treebank import TreebankWordDetokenizer

    if any(_IS_UNSPACED.match(word) for word in words):
        text = "".join(
            word if not before or _IS_UNSPACED.match(word) or _IS_UNSPACED.match(before) else f" {word}"
            for before, word in zip(["", *words], words, strict=False)
        )
        return text.strip()
    return str(TreebankWordDetokenizer().detokenize(list(words)))


def tokenize_all(texts: Iterable[str], *, lower: bool = True) -> list[list[str]]:
    """The words of each text, in lower case by default; equal texts are tokenized once.

    Example:
        >>> tokenize_all(["A hen", "a hen"])
        [['a', 'hen'], ['a', 'hen']]
    """
    texts = [text.lower() if lower else text for text in texts]
    words = {text: tokenize(text) for text in set(texts)}
    return [words[text] for text in texts]


def tokenize_sample(cells: pd.Series[Any], *, lower: bool = True) -> list[list[str]]:
    """The words of up to 50,000 cells of a column.

    Raises:
        RejectColumn: there are none.
    """
    sample = cells if len(cells) <= _MAX_SAMPLE else cells.sample(_MAX_SAMPLE, random_state=0)
    texts = tokenize_all((str(cell) for cell in sample), lower=lower)
    if not any(texts):
        raise RejectColumn("no cell has a word")
    return texts


def tokenize_cells(cells: pd.Series[Any], *, lower: bool = True) -> list[list[str]]:
    """The words of each cell.

    Raises:
        BadCells: some cells are not text or hold no word.
    """
    texts = tokenize_all((cell if isinstance(cell, str) else "" for cell in cells), lower=lower)
    wrong = {
        row: "holds no word" if isinstance(cell, str) else f"{cell!r} is not text"
        for row, (cell, words) in enumerate(zip(cells, texts, strict=True))
        if not words
    }
    if wrong:
        raise BadCells(wrong)
    return texts


def most_frequent(texts: Iterable[Sequence[str]], count: int) -> list[str]:
    """Up to `count` words, the most frequent first, equally frequent ones in alphabetical order.

    Example:
        >>> most_frequent([["the", "hen"], ["the", "cow"]], 2)
        ['the', 'cow']
    """
    counts = Counter(word for text in texts for word in text)
    return sorted(counts, key=lambda word: (-counts[word], word))[:count]


def mean_positions(
    texts: Iterable[Sequence[str]], numbers: Mapping[str, int]
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean positions of words in texts, 0 for a text's start and 1 for its end.

    Args:
        texts: the words of each text.
        numbers: word -> its number from 0, for the words asked for.

    Returns:
        By number, a word's mean first position and its mean distance from occurrence to occurrence.

    Example:
        >>> mean_positions([["the", "hen", "sees", "the", "road"]], {"the": 0, "road": 1})
        ((0.0, 1.0), (0.75, 0.0))
    """
    first, distance, firsts, repeats = np.zeros((4, len(numbers)))
    for words in texts:
        previous: dict[str, float] = {}
        for index, word in enumerate(words):
            number, position = numbers.get(word), index / max(len(words) - 1, 1)
            if number is None:
                continue
            if word in previous:
                distance[number] += position - previous[word]
                repeats[number] += 1
            else:
                first[number] += position
                firsts[number] += 1
            previous[word] = position
    return (
        tuple((first / np.maximum(firsts, 1)).round(4).tolist()),
        tuple((distance / np.maximum(repeats, 1)).round(4).tolist()),
    )


def sort_by_position(
    words: Iterable[int], positions: Sequence[float], spacings: Sequence[float]
) -> list[int]:
    """Order words, given by their numbers, by what `mean_positions` returned.

    A bag of words has no order; in the usual one it reads as the column's texts do.

    Example:
        >>> sort_by_position([0, 0, 1, 2], (0.0, 0.25, 1.0), (0.75, 0.0, 0.0))
        [0, 1, 0, 2]
    """
    repeats: dict[int, int] = {}
    keys = []
    for word in words:
        repeats[word] = repeats.get(word, -1) + 1
        keys.append((positions[word] + repeats[word] * spacings[word], word))
    return [word for _, word in sorted(keys)]
