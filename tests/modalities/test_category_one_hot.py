from __future__ import annotations

import pandas as pd
import pytest

from amodal.modalities import CategoryOneHot
from amodal.problems import BadCells, RejectColumn


@pytest.mark.parametrize(
    "cells",
    [["a", "b"], [1, 2], [True, False], [0.5, 1.5], ["007", "7"]],
    ids=["text", "int", "bool", "float", "zeros"],
)
def test_labels_come_back_as_what_they_were(cells: list) -> None:
    fitted = CategoryOneHot.fit(pd.Series(cells), None)
    again = fitted.to_cells(fitted.to_tensor(pd.Series(cells), None))
    assert again == cells
    assert [type(cell) for cell in again] == [type(cell) for cell in cells]


def test_a_label_is_the_same_in_a_file_and_in_a_column_with_holes() -> None:
    fitted = CategoryOneHot.fit(pd.Series([1, 2]), None)
    assert fitted.to_tensor(pd.Series([1.0, 2.0]), None).tolist() == [0, 1]
    assert fitted.to_tensor(pd.Series(["1", "2"]), None).tolist() == [0, 1]


def test_an_unseen_label_is_named() -> None:
    fitted = CategoryOneHot.fit(pd.Series(["cat", "dog"]), None)
    with pytest.raises(BadCells) as caught:
        fitted.to_tensor(pd.Series(["dog", "cow"]), None)
    assert caught.value.reasons == {1: "'cow' was not seen in training (cat, dog)"}


def test_too_many_labels_are_none() -> None:
    with pytest.raises(RejectColumn, match="too many"):
        CategoryOneHot.accepts(pd.Series([f"word{n}" for n in range(30)]), None)
    with pytest.raises(RejectColumn, match="text"):
        CategoryOneHot.accepts(pd.Series([f"a text of {n} words" for n in range(20)] * 3), None)
