"""What columns of texts have in common: their words, and the order in which words usually stand."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from amodal.errors import BadCells

# Han, Hiragana, Katakana, their punctuation and full-width forms, Thai, Lao, Myanmar and Khmer: scripts that
# put no space between words.
_UNSPACED = (
    r"\u3000-\u303f\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff00-\uffef"
    r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\U00020000-\U0002fa1f"
)
_PIECES = re.compile(rf"[{_UNSPACED}]|[^{_UNSPACED}]+")
_IS_UNSPACED = re.compile(rf"[{_UNSPACED}]")


def split(text: str) -> list[str]:
    """Words and punctuation of a text, by NLTK's tokenizer; characters where a script has no spaces.

    Example:
        >>> split("It's a 7, isn't it?")
        ['It', "'s", 'a', '7', ',', 'is', "n't", 'it', '?']
        >>> split("一个粗的7")
        ['一', '个', '粗', '的', '7']
    """
    from nltk.tokenize import NLTKWordTokenizer

    words = NLTKWordTokenizer().tokenize(text)
    return [piece for word in words for piece in _PIECES.findall(word)]


def join(words: Sequence[str]) -> str:
    """A text of words, spaced as its script is.

    Example:
        >>> join(["It", "'s", "a", "7", ",", "is", "n't", "it", "?"])
        "It's a 7, isn't it?"
        >>> join(["一", "个", "粗", "的", "7"])
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


def split_all(texts: Iterable[str]) -> list[list[str]]:
    """The words of each text in lower case; a text that stands several times is split once.

    Example:
        >>> split_all(["A hen", "a hen"])
        [['a', 'hen'], ['a', 'hen']]
    """
    lower = [text.lower() for text in texts]
    words = {text: split(text) for text in set(lower)}
    return [words[text] for text in lower]


def split_cells(cells: pd.Series[Any]) -> list[list[str]]:
    """The words of each cell in lower case.

    Raises:
        BadCells: some cells are not text or hold no word.
    """
    texts = split_all(cell if isinstance(cell, str) else "" for cell in cells)
    wrong = {
        row: "holds no word" if isinstance(cell, str) else f"{cell!r} is not text"
        for row, (cell, words) in enumerate(zip(cells, texts, strict=True))
        if not words
    }
    if wrong:
        raise BadCells(wrong)
    return texts


def most_frequent(texts: Iterable[Sequence[str]], most: int) -> list[str]:
    """Up to `most` words, the most frequent first, and those that are equally frequent in their own order.

    Example:
        >>> most_frequent([["the", "hen"], ["the", "cow"]], 2)
        ['the', 'cow']
    """
    counts = Counter(word for text in texts for word in text)
    return sorted(counts, key=lambda word: (-counts[word], word))[:most]


def typical_places(
    texts: Iterable[Sequence[str]], numbers: Mapping[str, int]
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Where words stand in their texts on average, 0 for a text's start and 1 for its end.

    Args:
        texts: the words of each text.
        numbers: the words asked for, and their number from 0.

    Returns:
        Of each word the place where it first stands, and how far on it stands again.

    Example:
        >>> typical_places([["the", "hen", "sees", "the", "road"]], {"the": 0, "road": 1})
        ((0.0, 1.0), (0.75, 0.0))
    """
    first, again, firsts, agains = np.zeros((4, len(numbers)))
    for words in texts:
        before: dict[str, float] = {}
        for position, word in enumerate(words):
            number, place = numbers.get(word), position / max(len(words) - 1, 1)
            if number is None:
                continue
            if word in before:
                again[number] += place - before[word]
                agains[number] += 1
            else:
                first[number] += place
                firsts[number] += 1
            before[word] = place
    return (
        tuple((first / np.maximum(firsts, 1)).round(4).tolist()),
        tuple((again / np.maximum(agains, 1)).round(4).tolist()),
    )


def in_typical_order(words: Iterable[int], places: Sequence[float], spacings: Sequence[float]) -> list[int]:
    """Put words, given by their numbers, in the order that `typical_places` tells.

    A bag of words keeps no order; with the usual one it reads as the column's texts do.

    Example:
        >>> in_typical_order([0, 0, 1, 2], (0.0, 0.25, 1.0), (0.75, 0.0, 0.0))
        [0, 1, 0, 2]
    """
    counts: dict[int, int] = {}
    placed = []
    for word in words:
        counts[word] = counts.get(word, -1) + 1
        placed.append((places[word] + counts[word] * spacings[word], word))
    return [word for _, word in sorted(placed)]
