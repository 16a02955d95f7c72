from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

from amodal.errors import BadCells, RejectColumn
from amodal.modalities import TextEmbedding
from amodal.modalities.text_embedding import truncated_svd

ANIMALS, THINGS = ("cat", "dog", "hen"), ("car", "bus", "tram")
TEXTS = [
    *(f"the {animal} eats {food} at home" for animal in ANIMALS for food in ("fish", "corn", "bread")),
    *(f"a {kind} {thing} drives down our road" for thing in THINGS for kind in ("fast", "slow", "red")),
]


def fitted(texts: list[str] = TEXTS) -> TextEmbedding:
    return TextEmbedding.fit(pd.Series(texts), None)


def vector(modality: TextEmbedding, text: str) -> np.ndarray:
    return modality.features(modality.to_tensor(pd.Series([text]), None))[0].numpy()


def test_words_in_the_same_company_have_like_vectors() -> None:
    modality = fitted()
    vectors = [vector(modality, word) for word in ("cat", "dog", "car")]
    cat, dog, car = (one / np.linalg.norm(one) for one in vectors)
    assert cat @ dog > 0.2
    assert abs(cat @ car) < 0.05


def test_a_text_is_the_mean_of_its_words() -> None:
    modality = fitted()
    words = [vector(modality, word) for word in ("cat", "eats", "car", "car")]
    np.testing.assert_allclose(vector(modality, "Cat eats car car"), np.mean(words, axis=0), atol=1e-6)


def test_texts_come_back_by_the_nearest_words() -> None:
    modality = fitted()
    back = modality.to_cells(modality.to_tensor(pd.Series(TEXTS), None))
    # Words that stand in the same texts only, such as "down our road", can pass for one another.
    for text, original in zip(back, TEXTS, strict=True):
        words = original.split()
        assert {words[1], words[2], words[3]} <= set(text.split())
        assert len(text.split()) == len(words)
    assert back[:9] == TEXTS[:9]


def test_words_that_stand_twice_come_back_twice() -> None:
    texts = [f"the {one} sees the {other}" for one in ANIMALS for other in THINGS]
    modality = fitted(texts)
    assert modality.to_cells(modality.to_tensor(pd.Series(texts), None)) == texts


def test_vectors_have_the_scalar_products_of_the_truncated_svd() -> None:
    rng = np.random.default_rng(0)
    matrix = rng.normal(size=(40, 40))
    matrix += matrix.T
    left, values, _ = np.linalg.svd(matrix)
    for most in (40, 7):
        expected = left[:, :most] * values[:most]
        found = truncated_svd(matrix, most)
        np.testing.assert_allclose(found @ found.T, expected @ expected.T, atol=1e-10)
        np.testing.assert_allclose(np.linalg.norm(found, axis=0), values[:most], rtol=1e-10)


def test_equal_singular_values_have_vectors_that_rounding_does_not_turn() -> None:
    rng = np.random.default_rng(0)
    basis = np.linalg.qr(rng.normal(size=(30, 30)))[0]
    # One, then twelve of the same size and either sign, of which the last five have no place; and no others.
    values = np.concatenate([[3.0], np.repeat([2.0, -2.0], 6), np.zeros(17)])
    matrix = basis * values @ basis.T
    noise = 1e-13 * rng.normal(size=matrix.shape)
    found, other = (truncated_svd(each, 8) for each in (matrix, matrix + noise + noise.T))
    np.testing.assert_allclose(found, other, atol=1e-8)
    np.testing.assert_allclose(found.T @ found, np.diag(np.square([3.0, *[2.0] * 7])), atol=1e-8)
    assert truncated_svd(matrix, 20).shape == (30, 13)


def test_a_draw_between_words_is_the_nearest() -> None:
    modality = fitted()
    tensor = modality.to_tensor(pd.Series(["bus", "hen"]), None)
    assert modality.to_cells(0.8 * tensor[:1] + 0.2 * tensor[1:]) == ["bus"]


@pytest.mark.parametrize("texts", [["hen", "hen hen"], ["a b", "a b", "b a"], ["yes", "no", "yes"]])
def test_few_words_have_finite_vectors_and_come_back_as_many(texts: list[str]) -> None:
    modality = fitted(texts)
    tensor = modality.to_tensor(pd.Series(texts), None)
    assert tensor.isfinite().all()
    back = modality.to_cells(tensor)
    assert [len(text.split()) for text in back] == [len(text.split()) for text in texts]
    assert set(" ".join(back).split()) <= set(modality.vocabulary)


def test_single_words_come_back() -> None:
    texts = ["yes", "no", "maybe"]
    modality = fitted(texts)
    assert modality.to_cells(modality.to_tensor(pd.Series(texts), None)) == texts


def test_texts_of_stop_words_only() -> None:
    texts = ["the and of", "of the", "is it", "it is the"]
    modality = fitted(texts)
    back = modality.to_cells(modality.to_tensor(pd.Series(texts), None))
    assert [sorted(text.split()) for text in back] == [sorted(text.split()) for text in texts]


def test_words_without_a_vector_say_nothing() -> None:
    modality = fitted()
    np.testing.assert_array_equal(vector(modality, "cat zebra"), vector(modality, "cat"))
    assert (vector(modality, "zebra") == 0).all()


@pytest.mark.parametrize("wild", [-1e4, 1e4])
def test_wild_draws_are_still_texts(wild: float) -> None:
    modality = fitted()
    assert all(modality.to_cells(torch.full((3, *modality.shape), wild)))


@pytest.mark.parametrize("empty", ["", "   ", 7, None])
def test_a_cell_without_a_word_is_bad(empty: object) -> None:
    with pytest.raises(BadCells) as caught:
        fitted().to_tensor(pd.Series(["cat", empty], dtype=object), None)
    assert list(caught.value.reasons) == [1]


def test_a_column_without_a_word_is_rejected() -> None:
    with pytest.raises(RejectColumn, match="word"):
        fitted(["  ", "\t"])


def test_the_state_of_a_large_vocabulary_is_small() -> None:
    rng = np.random.default_rng(0)
    texts = [" ".join(f"w{number}" for number in rng.zipf(1.3, 12) % 9_000) for _ in range(3_000)]
    modality = fitted(texts)
    assert len(modality.vocabulary) == 2_000
    assert len(str(modality.to_dict())) < 2_000_000
