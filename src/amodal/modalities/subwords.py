"""Subword tokens of texts, learned from a column by byte-pair encoding."""

from __future__ import annotations

import heapq
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

from amodal.modalities.tokenization import UNSPACED

# Signs that belong to the letter before, which `re` does not count among letters: accents, points and vowels.
_MARKS = r"\u0300-\u036f\u0483-\u0489\u0591-\u05c7\u064b-\u065f\u0900-\u0dff"
_WORD = re.compile(
    rf" ?(?:[{UNSPACED}]|(?:[^\W\d_{UNSPACED}]|[{_MARKS}]){{1,32}}|\d{{1,32}}|(?:[^\w\s{UNSPACED}]|_){{1,32}})"
    r"|\s{1,32}(?!\S)|\s"
)
_ATOM = re.compile(r" ?\S|\s")
_SPACE = re.compile(r"\s+")
_UNSPACED_CHARACTER = re.compile(rf"[{UNSPACED}]")
_MAX_WORDS = 50_000
"""Distinct words that pieces are learned from, the most frequent ones."""


def split_words(text: str) -> list[str]:
    """Words, numbers, runs of punctuation and characters of scripts without spaces, each with the space before it.

    Other white space is words of its own. The concatenation is the text, after a space.

    Example:
        >>> split_words("A hen, 2 cows")
        [' A', ' hen', ',', ' 2', ' cows']
    """
    return _WORD.findall(" " + text)


def learn_subwords(counts: Mapping[str, int], size: int, min_count: int = 4) -> tuple[str, ...]:
    """Pieces of words by byte-pair encoding (Sennrich et al., arXiv 1508.07909), in the order they are merged in.

    The first pieces are the characters, with and without a space before them; then come pairs of pieces, the most
    frequent first. A word that is more frequent than the last pair is a piece.

    Args:
        counts: word of `split_words` -> its frequency.
        size: most pieces.
        min_count: frequency of the least frequent pair.

    Example:
        >>> learn_subwords({" hen": 5, " hens": 4}, 100)
        (' e', ' h', ' n', ' s', 'e', 'h', 'n', 's', ' he', ' hen', ' hens')
    """
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:_MAX_WORDS]
    frequency = [count for _, count in ranked]
    words = [_ATOM.findall(word) for word, _ in ranked]
    pieces = dict.fromkeys(_alphabet(words, frequency, size))
    pairs: Counter[tuple[str, str]] = Counter()
    places: defaultdict[tuple[str, str], set[int]] = defaultdict(set)
    for place, word in enumerate(words):
        for pair in pairwise(word):
            pairs[pair] += frequency[place]
            places[pair].add(place)
    heap = [(-count, pair) for pair, count in pairs.items() if count >= min_count]
    heapq.heapify(heap)
    while heap and len(pieces) < size:
        count, pair = heapq.heappop(heap)
        if pairs[pair] != -count:
            continue  # counted again since, under another entry
        pieces["".join(pair)] = None
        changed: set[tuple[str, str]] = set()
        for place in places.pop(pair):
            before = words[place]
            words[place] = _merge(before, pair)
            for old in pairwise(before):
                pairs[old] -= frequency[place]
                changed.add(old)
            for new in pairwise(words[place]):
                pairs[new] += frequency[place]
                places[new].add(place)
                changed.add(new)
        changed.discard(pair)
        for each in changed:
            if pairs[each] >= min_count:
                heapq.heappush(heap, (-pairs[each], each))
    return tuple(pieces)


def _alphabet(words: Sequence[Sequence[str]], frequency: Sequence[int], size: int) -> list[str]:
    """The characters of words, the most frequent ones where they are more than `size`."""
    seen: Counter[str] = Counter()
    for word, count in zip(words, frequency, strict=True):
        for atom in word:
            seen[atom] += count
            if not _UNSPACED_CHARACTER.search(atom):
                # Unseen words hold it in other places.
                seen[atom[-1]] += 0
                seen[" " + atom[-1]] += 0
    return sorted(sorted(seen, key=lambda atom: (-seen[atom], atom))[:size])


def _merge(word: Sequence[str], pair: tuple[str, str]) -> list[str]:
    """A word with each occurrence of a pair of pieces joined."""
    merged: list[str] = []
    place = 0
    while place < len(word):
        if word[place] == pair[0] and word[place + 1 : place + 2] == [pair[1]]:
            merged.append(pair[0] + pair[1])
            place += 2
        else:
            merged.append(word[place])
            place += 1
    return merged


class SubwordTokenizer:
    """Texts to pieces of a vocabulary, and back.

    Args:
        vocabulary: pieces, as `learn_subwords` returns them.

    Attributes:
        numbers: piece -> its place in the vocabulary.

    Example:
        >>> tokenizer = SubwordTokenizer(learn_subwords({" hen": 5, " hens": 4}, 100))
        >>> tokenizer.pieces("hens she")
        [' hens', ' s', 'h', 'e']
        >>> tokenizer.text([" hens", " s", "h", "e"])
        'hens she'
    """

    def __init__(self, vocabulary: Iterable[str]) -> None:
        self.numbers = {piece: number for number, piece in enumerate(vocabulary)}
        self._cache: dict[str, list[str]] = {}

    def pieces(self, text: str, limit: int | None = None) -> list[str]:
        """The first pieces of a text; a character outside the vocabulary is a piece of its own, white space a space."""
        pieces: list[str] = []
        for word in split_words(_SPACE.sub(self._known_space, text)):
            found = self._cache.get(word)
            if found is None:
                found = self._cache[word] = self._split(word)
            pieces += found
        return pieces[:limit]

    def text(self, pieces: Iterable[str]) -> str:
        """The text of pieces, without the space before its first."""
        return "".join(pieces).removeprefix(" ")

    def _known_space(self, run: re.Match[str]) -> str:
        """White space that the vocabulary has; one space in place of others, and none at a text's ends."""
        is_start, is_end = run.start() == 0, run.end() == len(run.string)
        # A word takes the last space before it.
        pieces = (" " if is_start else "") + (run[0] if is_end else run[0].removesuffix(" "))
        if all(mark in self.numbers for mark in pieces):
            return run[0]
        return "" if is_start or is_end else " "

    def _split(self, word: str) -> list[str]:
        """A word's pieces: pairs are merged in the order they were learned in."""
        if word in self.numbers:
            return [word]
        # A character that never followed a space is written without one.
        pieces = [atom if atom in self.numbers else atom[-1] for atom in _ATOM.findall(word)]
        unknown = len(self.numbers)
        while len(pieces) > 1:
            rank, pair = min((self.numbers.get(a + b, unknown), (a, b)) for a, b in pairwise(pieces))
            if rank == unknown:
                break
            pieces = _merge(pieces, pair)
        return pieces
