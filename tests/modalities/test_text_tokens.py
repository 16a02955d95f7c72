from __future__ import annotations

import pandas as pd
import pytest
import torch

from amodal.distributions import RowNoise
from amodal.distributions.sequence import END, UNKNOWN
from amodal.errors import BadCells, RejectColumn
from amodal.modalities import TextTokens


def round_trip(texts: list[str]) -> list[str]:
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
        "snake_case, e-mail: a.b@c.de (50 % off!)",
        "हिन्दी में लिखा",
        "7",
    ],
)
def test_texts_of_many_scripts_come_back(text: str) -> None:
    assert round_trip([text, "another text"])[0] == text


def test_a_script_without_spaces_is_split_into_its_characters() -> None:
    modality = TextTokens.fit(pd.Series(["一个粗的", "一个细的"]), None)
    assert set(modality.vocabulary) == {*"个粗的细", " 一"}
    assert len(modality.to_tensor(pd.Series(["一个粗的"]), None)[0].nonzero()) == 4


def test_frequent_words_are_pieces_and_unseen_ones_are_read_and_written() -> None:
    modality = TextTokens.fit(pd.Series(["a red hen", "a blue hen", "a hare"] * 4), None)
    assert {" a", " red", " blue", " hen", " hare"} <= set(modality.vocabulary)
    cells = pd.Series(["a bear hears hen"])
    tokens = modality.to_tensor(cells, None)
    # "s" is no letter of the column.
    assert (tokens == UNKNOWN).sum() == 1
    assert modality.to_cells(tokens) == ["a bear hear hen"]


def test_white_space_that_a_column_does_not_have_is_read_as_one_space() -> None:
    modality = TextTokens.fit(pd.Series(["one two"]), None)
    once, again = modality.to_tensor(pd.Series(["one two", " one\n\t two  "]), None)
    assert torch.equal(once, again)


def test_document_counts_are_the_texts_that_contain_a_piece() -> None:
    modality = TextTokens.fit(pd.Series(["hen hen"] * 3 + ["hen", "cow"]), None)
    counts = dict(zip(modality.vocabulary, modality.document_counts, strict=True))
    assert modality.num_texts == 5
    assert counts[" hen"] == 4


def test_a_text_ends_with_end() -> None:
    modality = TextTokens.fit(pd.Series(["one two three", "one"]), None)
    tokens = modality.to_tensor(pd.Series(["one"]), None)
    length = int((tokens != END).sum())
    assert 0 < length < modality.length
    assert (tokens[0, length:] == END).all()


def test_a_very_long_text_is_cut() -> None:
    long = " ".join(["word"] * 10_000)
    modality = TextTokens.fit(pd.Series([long] * 3), None)
    assert modality.length == 512
    tokens = modality.to_tensor(pd.Series([long]), None)
    assert tokens.shape == (1, 512)
    assert modality.to_cells(tokens) == [" ".join(["word"] * 512)]
    assert "at most 512" in modality.summary


def test_texts_of_one_character_and_of_5_000_words_share_a_column() -> None:
    cells = pd.Series(["x", "7", " ".join(["many words"] * 2_500)] * 10)
    modality = TextTokens.fit(cells, None)
    tokens = modality.to_tensor(cells, None)
    assert tokens.shape == (30, modality.length)
    assert modality.to_cells(tokens)[:2] == ["x", "7"]
    assert modality.encoder(6)(tokens).isfinite().all()
    assert modality.head(4)(torch.randn(30, 4)).log_prob(tokens).isfinite().all()


def test_one_long_text_does_not_make_room_for_all() -> None:
    modality = TextTokens.fit(pd.Series(["a b c"] * 99 + [" ".join("abcdefgh" * 8)]), None)
    assert modality.length == 16


def test_long_texts_cost_more() -> None:
    short, long = (TextTokens.fit(pd.Series(["word " * count] * 9), None) for count in (10, 100))
    assert short.scoring_cost == 1.0
    assert long.scoring_cost > 5.0


def test_augmentation_hides_some_pieces_and_adds_none() -> None:
    modality = TextTokens.fit(pd.Series(["one two three four"] * 5), None)
    tokens = modality.to_tensor(pd.Series(["one two three four", "one"] * 500), None)
    augmented = modality.augment(tokens, RowNoise(0, torch.arange(1_000)))
    changed = augmented != tokens
    assert (augmented[changed] == UNKNOWN).all()
    assert (tokens[changed] > UNKNOWN).all()
    assert 0.05 < changed.sum() / (tokens > UNKNOWN).sum() < 0.15


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
    torch.manual_seed(0)
    modality = TextTokens.fit(pd.Series(["one two", "two"]), None)
    drawn = modality.to_display(modality.decoder(2)(torch.randn(500, 2)), RowNoise(0, torch.arange(500)))
    assert all(modality.to_cells(drawn))


SPACED = [
    *("mail me at a.b@c.org now", "see https://a.org/x?y=1#z ok", "hello @anna #tag ok"),
    *("C++ and C# and F#", "“quoted” text", "it don’t work"),
    *("R&D unit, AT&T", "日本語 English 混在 text", "ภาษาไทย and English ไทย"),
    *("<b>bold</b> word", "run --flag=1 now", "x<y && z>w"),
    *("hi :-) bye", "plain words, here.", "two  spaces"),
    *("a line\nand another\n\n- item", "tab\there", " ends "),
    *("5 % of $1,234.50", "snake_case camelCase", "(see p. 5)"),
    *("50°C – 60°C", "a\u00a0b", "e\u0301 and é"),
    *("👩‍👩‍👧 family",),
]


@pytest.mark.parametrize("text", SPACED)
def test_texts_come_back_spaced_as_they_were(text: str) -> None:
    cells = pd.Series(SPACED)
    modality = TextTokens.fit(cells, None)
    assert modality.to_cells(modality.to_tensor(pd.Series([text]), None)) == [text]
