from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from amodal import UsageError
from amodal.answers.expressions import Rows, parse_clauses
from amodal.modalities import CategoryOneHot, NumberQuantile, TextTokens

FRAME = pd.DataFrame(
    {
        "price": [5.0, 10.0, 15.0, np.nan],
        "low": [1.5, 10.0, 20.0, 3.0],
        "kind": ["a", "b", None, "c"],
        "digit": [1, 2, 3, 4],
        "class": ["p", "q", "p", "q"],
        "note": ["red ink", None, "blue", "red ink"],
    }
)
MODALITIES = {
    "price": NumberQuantile.fit(FRAME["price"].dropna(), None),
    "low": NumberQuantile.fit(FRAME["low"], None),
    "kind": CategoryOneHot.fit(FRAME["kind"].dropna(), None),
    "digit": CategoryOneHot.fit(FRAME["digit"], None),
    "class": CategoryOneHot.fit(FRAME["class"], None),
    "my note": TextTokens.fit(FRAME["note"].dropna(), None),
}


def rows() -> Rows:
    frame = FRAME.rename(columns={"note": "my note"})
    values, known = {}, {}
    for name, modality in MODALITIES.items():
        present = frame[name].notna().to_numpy()
        found = modality.comparable(list(frame[name][present]))
        values[name] = np.zeros(4) if found.dtype.kind == "f" else np.full(4, None)
        values[name][present] = found
        known[name] = present
    return Rows(values, known, 4)


def true_rows(text: str) -> list[int]:
    clauses = parse_clauses(text, MODALITIES, "where")
    return np.flatnonzero(np.all([clause.truth(rows())[0] for clause in clauses], axis=0)).tolist()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("price > 5", [1, 2]),
        ("price >= 5 and kind == 'a'", [0]),
        ("price between 5 and 10 and kind in ['a', 'b']", [0, 1]),
        ("price not between 5 and 10", [2]),
        ("5 < price <= 15", [1, 2]),
        ("price = 10 OR kind <> 'b'", [0, 1, 3]),
        ("not (price > 5)", [0]),  # a missing price is neither above nor below
        ("price is null", [3]),
        ("kind IS NOT NULL and price is not null", [0, 1]),
        ("low <= price", [0, 1]),
        ("price - low == 3.5", [0]),
        ("price + low * 2 > 20", [1, 2]),
        ("digit > 2", [2, 3]),
        ("digit in (1, 4)", [0, 3]),
        ("digit == '2'", [1]),
        ("class == 'q'", [1, 3]),  # a word of Python's
        ("`my note` == 'red ink' and `class` != 'q'", [0]),
        ("-price < -10", [2]),
        ("(price > 5 and low > 15) or digit == 4", [2, 3]),
    ],
)
def test_truth_is_that_of_the_words(text: str, expected: list[int]) -> None:
    assert true_rows(text) == expected


def test_sums_of_decimals_are_equal_up_to_rounding() -> None:
    clause = parse_clauses("price + low == digit", MODALITIES, "rules")[0]
    values = {"price": np.array([0.1]), "low": np.array([0.2]), "digit": np.array([0.3])}
    rounded = Rows(values, {name: np.ones(1, bool) for name in values}, 1)
    assert clause.truth(rounded)[0].all()
    values["digit"] = np.array([0.300001])
    assert clause.truth(rounded)[1].all()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("prize > 3", "no column 'prize'"),
        ("price > 'much'", "'much' is not a"),
        ("price == 'much'", "'much' is not a"),
        ("kind == 'd'", "was not seen in training"),
        ("kind in ['a', 'd']", "was not seen in training"),
        ("kind > 'a'", "has no order"),
        ("kind between 'a' and 'b'", "has no order"),
        ("kind == a", "no column 'a'"),
        ("kind == price", "different types"),
        ("price + kind > 2", "is no number"),
        ("price", "no comparison"),
        ("price > ", "not understood"),
        ("price > 3 &", "not understood"),
        ("", "not understood"),
        ("price in []", "empty"),
        ("price == null", "is null"),
        ("`my note` in ['red ink']", "texts"),
        ("1 < 2", "neither is a column"),
        ("__import__('os').system('true') == 0", "not understood"),
        ("(lambda: price)() > 1", "not understood"),
    ],
)
def test_what_is_no_condition_is_refused(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        parse_clauses(text, MODALITIES, "where")
