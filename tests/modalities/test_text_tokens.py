from __future__ import annotations

import pandas as pd
import pytest
import torch

from amodal.distributions.sequence import END, UNKNOWN
from amodal.errors import BadCells, RejectColumn
from amodal.modalities import TextTokens


def there_and_back(texts: list[str]) -> list[str]:
    cells = pd.Series(texts, dtype=object)
    modality = TextTokens.fit(cells, None)
    return list(modality.to_cells(modality.to_tensor(cells, None)))


@pytest.mark.parametrize(
    "text",
    [
        "一个粗的7",
        "今天天气很好，我们去公园。",
        "これは日本語の文です。",
        "カタカナとひらがな",
        "สวัสดีครับ",
        "مرحبا بالعالم",
        "שלום עולם",
        "안녕하세요 세계",
        "Привет, мир!",
        "a smile 🙂 and a heart ❤️",
        "👩‍👩‍👧 family",
        "It's a 7, isn't it?",
        "naïve café",
        "7",
    ],
)
def test_texts_of_many_scripts_come_back(text: str) -> None:
    assert there_and_back([text, "another text"])[0] == text


def test_a_script_without_spaces_is_split_into_its_characters() -> None:
    modality = TextTokens.fit(pd.Series(["一个粗的", "一个细的"]), None)
    assert set(modality.vocabulary) == set("一个粗的细")
    assert modality.length == 4


def test_a_word_not_in_the_vocabulary_is_unknown_and_never_shown() -> None:
    modality = TextTokens.fit(pd.Series(["a red hen", "a blue hen"]), None)
    tokens = modality.to_tensor(pd.Series(["a zebra hen"]), None)
    assert tokens[0, 1] == UNKNOWN
    assert (tokens[0, [0, 2]] > UNKNOWN).all()
    assert modality.to_cells(tokens) == ["a hen"]


def test_a_text_ends_with_end() -> None:
    modality = TextTokens.fit(pd.Series(["one two three", "one"]), None)
    tokens = modality.to_tensor(pd.Series(["one"]), None)
    assert (tokens[0, 1:] == END).all()
    assert tokens[0, 0] != END


def test_a_very_long_text_is_cut() -> None:
    long = " ".join(["word"] * 10_000)
    modality = TextTokens.fit(pd.Series([long] * 3), None)
    assert modality.length == 64
    tokens = modality.to_tensor(pd.Series([long]), None)
    assert tokens.shape == (1, 64)
    assert modality.to_cells(tokens) == [" ".join(["word"] * 64)]


def test_one_long_text_does_not_make_room_for_all() -> None:
    modality = TextTokens.fit(pd.Series(["a b c"] * 99 + [" ".join("abcdefgh" * 8)]), None)
    assert modality.length == 8


def test_the_most_frequent_word_is_first() -> None:
    modality = TextTokens.fit(pd.Series(["b a", "b c", "b a"]), None)
    assert modality.vocabulary == ("b", "a", "c")


@pytest.mark.parametrize("empty", ["", "   ", "\n", 7, None, float("nan")])
def test_a_cell_without_a_word_is_bad(empty: object) -> None:
    modality = TextTokens.fit(pd.Series(["one two"]), None)
    with pytest.raises(BadCells) as caught:
        modality.to_tensor(pd.Series(["one", empty, "two"], dtype=object), None)
    assert list(caught.value.reasons) == [1]


def test_a_column_without_a_word_is_rejected() -> None:
    with pytest.raises(RejectColumn, match="word"):
        TextTokens.fit(pd.Series(["  ", "\t"]), None)


def test_numbers_are_no_texts() -> None:
    with pytest.raises(RejectColumn):
        TextTokens.detect(pd.Series(["a", 2], dtype=object), None)


def test_a_drawn_text_is_never_empty() -> None:
    from amodal.distributions import RowNoise

    torch.manual_seed(0)
    modality = TextTokens.fit(pd.Series(["one two", "two"]), None)
    drawn = modality.to_display(modality.decoder(2)(torch.randn(500, 2)), RowNoise(0, torch.arange(500)))
    assert all(modality.to_cells(drawn))
