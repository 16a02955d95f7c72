from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amodal.modalities.subwords import SubwordTokenizer, learn_subwords, split_words


@given(st.text())
def test_words_concatenate_to_the_text(text: str) -> None:
    assert "".join(split_words(text)) == f" {text}"


@given(st.lists(st.text(st.sampled_from("ab é!一个_7²🙂 \n\t\u00a0")), min_size=1))
def test_texts_come_back(texts: list[str]) -> None:
    counts = Counter(word for text in texts for word in split_words(text))
    tokenizer = SubwordTokenizer(learn_subwords(counts, 100, min_count=2))
    for text in texts:
        pieces = tokenizer.pieces(text)
        assert all(piece in tokenizer.numbers for piece in pieces)
        assert tokenizer.text(pieces) == text


def test_unseen_words_of_known_letters_come_back() -> None:
    tokenizer = SubwordTokenizer(learn_subwords(Counter(split_words("The hen sees it, now.")), 100))
    pieces = tokenizer.pieces("When noses, ,i see. Ten")
    assert [piece for piece in pieces if piece not in tokenizer.numbers] == ["W"]
    assert tokenizer.text(pieces) == "When noses, ,i see. Ten"


def test_a_frequent_word_is_one_piece_and_a_rare_one_is_split() -> None:
    counts = {" elephant": 4, " heron": 3, " hen": 10}
    tokenizer = SubwordTokenizer(learn_subwords(counts, 1_000, min_count=4))
    assert tokenizer.pieces("elephant hen") == [" elephant", " hen"]
    assert tokenizer.pieces("heron") == [" he", "r", "o", "n"]


def test_the_vocabulary_is_as_large_as_asked_for_and_keeps_the_most_frequent() -> None:
    counts = {f" {chr(0x4E00 + number)}": 100 - number for number in range(90)}
    vocabulary = learn_subwords(counts, 20)
    assert set(vocabulary) == set(list(counts)[:20])
    assert len(learn_subwords({" abcdefgh": 9}, 17)) == 17


def test_the_order_of_the_counts_is_of_no_matter() -> None:
    counts = {" abab": 4, " baba": 4, "ab": 4, "ba": 4, " cdcd": 5}
    assert learn_subwords(counts, 100) == learn_subwords(dict(reversed(counts.items())), 100)


def test_merges_agree_with_counting_all_pairs_anew() -> None:
    words = Counter(
        split_words("she sells sea shells by the sea shore, the shells she sells are sea shells " * 3)
    )

    def naive() -> list[str]:
        split = {word: list(word if word[0] != " " else [word[:2], *word[2:]]) for word in words}
        learned: list[str] = []
        while True:
            pairs: Counter[tuple[str, str]] = Counter()
            for word, pieces in split.items():
                for pair in pairwise(pieces):
                    pairs[pair] += words[word]
            if not pairs:
                return list(dict.fromkeys(learned))
            pair = min(pairs, key=lambda each: (-pairs[each], each))
            learned.append("".join(pair))
            for pieces in split.values():
                place = 0
                while place < len(pieces) - 1:
                    if (pieces[place], pieces[place + 1]) == pair:
                        pieces[place : place + 2] = ["".join(pair)]
                    place += 1

    vocabulary = learn_subwords(words, 1_000, min_count=1)
    merged = [piece for piece in vocabulary if len(piece.strip()) > 1]
    assert merged == naive()


@pytest.mark.parametrize("limit", [1, 3])
def test_only_the_first_pieces_are_given_where_a_limit_is(limit: int) -> None:
    tokenizer = SubwordTokenizer(learn_subwords({" a": 9}, 10))
    assert tokenizer.pieces("a a a a", limit) == [" a"] * limit
