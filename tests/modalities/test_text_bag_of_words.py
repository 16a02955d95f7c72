from __future__ import annotations

import nltk
import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.feature_extraction.text import CountVectorizer

from amodal.distributions import RowNoise
from amodal.errors import BadCells, RejectColumn
from amodal.modalities import TextBagOfWords

TEXTS = [
    "The hen, the cow and the cat.",
    "It's a hen, isn't it?",
    "a cat sees a dog; a dog sees a cat",
    "Naïve café, 12.5 % of it",
    "cat",
]


def there_and_back(texts: list[str]) -> list[str]:
    cells = pd.Series(texts, dtype=object)
    modality = TextBagOfWords.fit(cells, None)
    return list(modality.to_cells(modality.scale(modality.to_tensor(cells, None))))


def test_counts_are_those_of_scikit_learn_and_nltk() -> None:
    cells = pd.Series(TEXTS)
    reference = CountVectorizer(
        tokenizer=lambda text: nltk.word_tokenize(text, preserve_line=True), token_pattern=None
    )
    expected = reference.fit_transform(TEXTS).toarray()
    modality = TextBagOfWords.fit(cells, None)
    assert modality.vocabulary == tuple(reference.get_feature_names_out())
    np.testing.assert_array_equal(modality.features(modality.to_tensor(cells, None)), expected)


def test_words_come_back_as_often_and_in_their_usual_order() -> None:
    texts = ["the cat sees the road", "the dog sees the hill", "the cat sees the hill"]
    assert there_and_back(texts) == texts
    assert sorted(there_and_back(["cat dog", "dog cat"])[0].split()) == ["cat", "dog"]


def test_a_script_without_spaces_is_a_bag_of_its_characters() -> None:
    assert there_and_back(["一个粗的7", "一个细的3"]) == ["一个粗的7", "一个细的3"]


def test_one_distinct_word() -> None:
    assert there_and_back(["hen", "hen hen", "hen"]) == ["hen", "hen hen", "hen"]
    modality = TextBagOfWords.fit(pd.Series(["hen", "hen hen"]), None)
    drawn = modality.to_display(modality.decoder(2)(torch.randn(5, 2)), RowNoise(0, torch.arange(5)))
    assert set(modality.to_cells(drawn)) <= {"hen", "hen hen"}


def test_texts_of_stop_words_only() -> None:
    texts = ["the and of", "of the", "is it"]
    assert [sorted(text.split()) for text in there_and_back(texts)] == [sorted(t.split()) for t in texts]


def test_words_outside_the_vocabulary_are_counted_and_never_shown() -> None:
    modality = TextBagOfWords.fit(pd.Series(["a red hen", "a blue hen"]), None)
    tensor = modality.to_tensor(pd.Series(["a zebra zebra hen", "zebra"]), None)
    assert tensor[:, 0].tolist() == [2, 1]
    assert modality.to_cells(tensor) == ["a hen", ""]
    drawn = modality.to_display(modality.decoder(2)(torch.randn(50, 2)), RowNoise(0, torch.arange(50)))
    assert (drawn[:, 0] == 0).all()
    assert all(modality.to_cells(drawn))


@pytest.mark.parametrize("empty", ["", "   ", "\n", 7, None, float("nan")])
def test_a_cell_without_a_word_is_bad(empty: object) -> None:
    modality = TextBagOfWords.fit(pd.Series(["one two"]), None)
    with pytest.raises(BadCells) as caught:
        modality.to_tensor(pd.Series(["one", empty, "two"], dtype=object), None)
    assert list(caught.value.reasons) == [1]


def test_a_column_without_a_word_is_rejected() -> None:
    with pytest.raises(RejectColumn, match="word"):
        TextBagOfWords.fit(pd.Series(["  ", "\t"]), None)


def test_a_very_long_text() -> None:
    modality = TextBagOfWords.fit(pd.Series(["hen " * 100_000, "cat"]), None)
    tensor = modality.to_tensor(pd.Series(["hen " * 100_000, "cat"]), None)
    assert tensor.max() == 32_767
    scores = modality.decoder(2)(torch.randn(2, 2)).log_prob(modality.scale(tensor))
    assert scores.isfinite().all()


def test_the_most_frequent_words_are_kept() -> None:
    texts = [f"often word{number}" for number in range(6_000)]
    modality = TextBagOfWords.fit(pd.Series([*texts, "word5999 often"]), None)
    assert len(modality.vocabulary) == 5_000
    assert {"often", "word5999"} <= set(modality.vocabulary)


def test_equally_frequent_words_are_taken_in_their_own_order() -> None:
    words = [f"w{number:04}" for number in range(6_000)]
    modality = TextBagOfWords.fit(pd.Series([" ".join(words[::-1]), "w5999"]), None)
    assert modality.vocabulary == (*words[:4_999], "w5999")
