from __future__ import annotations

import pandas as pd
import pytest

from amodal.modalities import TextTokens
from amodal.problems import BadCells, RejectColumn

TEXTS = [
    "A thick seven, leaning right.",
    "It's what I can't say!",
    "一个粗的七，向右倾斜。",
    "これは七です",
    "เลขเจ็ด",
    "رقم سبعة مائل",
    "🐦 sings 🎵",
    "数字7 is seven",
]


@pytest.mark.parametrize("text", TEXTS)
def test_texts_come_back_as_they_were(text: str) -> None:
    fitted = TextTokens.fit(pd.Series([text]), None)
    assert fitted.to_cells(fitted.to_tensor(pd.Series([text]), None)) == [text]


def test_scripts_without_spaces_go_by_character() -> None:
    fitted = TextTokens.fit(pd.Series(["一个粗的七", "一个细的八"]), None)
    assert set("一个粗细的七八") == set(fitted.vocabulary)
    assert fitted.length == 5


def test_unseen_words_are_unknown_and_never_written() -> None:
    fitted = TextTokens.fit(pd.Series(["one two", "two three"]), None)
    tensor = fitted.to_tensor(pd.Series(["two hundred"]), None)
    assert tensor[0, :2].tolist() == [2, 1]
    assert fitted.to_cells(tensor) == ["two"]


def test_a_text_of_ten_thousand_words_is_cut() -> None:
    cells = pd.Series(["a few words"] * 99 + ["word " * 10_000])
    fitted = TextTokens.fit(cells, None)
    assert fitted.length <= 64
    assert fitted.to_tensor(cells, None).shape == (100, fitted.length)


def test_a_text_without_words_is_a_bad_cell() -> None:
    fitted = TextTokens.fit(pd.Series(["one"]), None)
    with pytest.raises(BadCells) as caught:
        fitted.to_tensor(pd.Series(["one", "   ", 7]), None)
    assert caught.value.reasons == {1: "holds no word", 2: "7 is not text"}
    with pytest.raises(RejectColumn):
        TextTokens.fit(pd.Series([" "]), None)
