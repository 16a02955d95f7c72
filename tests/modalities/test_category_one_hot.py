from __future__ import annotations

import pandas as pd
import pytest
import torch

from amodal.errors import BadCells, RejectColumn
from amodal.modalities import CategoryOneHot


def round_trip(cells: pd.Series) -> list:
    modality = CategoryOneHot.fit(cells, None)
    return list(modality.to_cells(modality.to_tensor(cells, None)))


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (["b", "a", "b"], "text"),
        ([3, 1, 3], "integer"),
        ([True, False, True], "boolean"),
        ([0.5, 1.25, 0.5], "number"),
        (["007", "7", "07"], "text"),
        (["红", "绿", "红"], "text"),
    ],
)
def test_labels_come_back_as_what_they_were(cells: list, kind: str) -> None:
    modality = CategoryOneHot.fit(pd.Series(cells), None)
    assert modality.cell_type == kind
    back = round_trip(pd.Series(cells))
    assert back == cells
    assert [type(cell) for cell in back] == [type(cell) for cell in cells]


def test_booleans_among_holes_come_back_as_booleans() -> None:
    cells = pd.Series([True, None, False, True], dtype=object).dropna()
    assert round_trip(cells) == [True, False, True]


def test_whole_numbers_made_floats_by_holes_come_back_whole() -> None:
    cells = pd.Series([7, None, 3, 7]).dropna()
    assert cells.dtype == float
    modality = CategoryOneHot.fit(cells, None)
    assert modality.labels == ("3", "7")
    back = round_trip(cells)
    assert back == [7, 3, 7]
    assert all(type(cell) is int for cell in back)


def test_a_label_is_the_same_as_number_and_as_text() -> None:
    modality = CategoryOneHot.fit(pd.Series([7, 3]), None)
    assert modality.to_tensor(pd.Series(["7", 3.0, 7], dtype=object), None).tolist() == [1, 0, 1]


def test_an_unseen_label_is_named_with_the_known_ones() -> None:
    modality = CategoryOneHot.fit(pd.Series(["cat", "dog"]), None)
    with pytest.raises(BadCells) as caught:
        modality.to_tensor(pd.Series(["dog", "owl", "cat", "Dog"]), None)
    assert list(caught.value.reasons) == [1, 3]
    assert caught.value.reasons[1] == "'owl' was not seen in training (cat, dog)"


def test_the_numbers_of_labels_do_not_depend_on_the_order_of_rows() -> None:
    one = CategoryOneHot.fit(pd.Series(["b", "c", "a"]), None)
    assert one == CategoryOneHot.fit(pd.Series(["a", "b", "b", "c"]), None)


def test_too_many_labels_are_rejected() -> None:
    with pytest.raises(RejectColumn, match="too many"):
        CategoryOneHot.detect(pd.Series([f"name {row}" for row in range(50)]), None)


def test_repeated_sentences_are_a_text() -> None:
    sentences = [f"the {n} hens sit here" for n in range(12)]
    with pytest.raises(RejectColumn, match="text"):
        CategoryOneHot.detect(pd.Series(sentences * 5), None)


def test_linear_features_are_one_hot_and_bounded_for_many_labels() -> None:
    few = CategoryOneHot(("a", "b", "c"), "text")
    assert few.linear_features(torch.tensor([2, 0])).tolist() == [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]
    many = CategoryOneHot(tuple(f"{number:04}" for number in range(3_000)), "text")
    features = many.linear_features(torch.tensor([5, 1_029, 2_999]))
    assert features.shape == (3, 1_024)
    assert features.sum(1).tolist() == [1.0] * 3
    assert features.argmax(1).tolist() == [5, 5, 951]
