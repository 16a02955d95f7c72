from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from amodal import DataError, UsageError, split

FRAME = pd.DataFrame(
    {
        "who": [f"p{row % 17}" for row in range(200)],
        "day": pd.date_range("2024-01-01", periods=100, freq="D").repeat(2),
        "text_day": [f"2024-03-{1 + row % 28:02}" for row in range(200)],
        "x": np.arange(200),
    },
    index=[f"r{row}" for row in range(200)],
)


def test_rows_are_split_once_and_reproducibly() -> None:
    train, test = split(FRAME, test=0.25, seed=3)
    assert (len(train), len(test)) == (150, 50)
    assert sorted([*train.index, *test.index]) == sorted(FRAME.index)
    assert train["x"].is_monotonic_increasing
    pd.testing.assert_frame_equal(split(FRAME, test=0.25, seed=3)[1], test)
    assert not split(FRAME, test=0.25, seed=4)[1].index.equals(test.index)
    assert train.dtypes.equals(FRAME.dtypes)


def test_no_group_is_in_both_parts() -> None:
    train, test = split(FRAME, group="who")
    assert not set(train["who"]) & set(test["who"])
    assert 20 <= len(test) <= 60


@pytest.mark.parametrize("column", ["day", "text_day", "x"])
def test_the_last_rows_are_the_test_rows(column: str) -> None:
    train, test = split(FRAME, test=0.1, time=column)
    assert train[column].max() < test[column].min()
    assert len(test) >= 20


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        ({"test": 1.5}, UsageError, "a share between 0 and 1"),
        ({"test": 0}, UsageError, "a share between 0 and 1"),
        ({"test": 200}, UsageError, "leaves none"),
        ({"group": "whom"}, UsageError, "no column 'whom'"),
        ({"group": "who", "time": "day"}, UsageError, "not both"),
        ({"time": "who"}, DataError, "has no time in 200 rows"),
    ],
)
def test_wrong_splits_are_refused(arguments: dict, error: type, said: str) -> None:
    with pytest.raises(error, match=said):
        split(FRAME, **arguments)


def test_a_single_group_cannot_be_split() -> None:
    with pytest.raises(DataError, match="one part would have no rows"):
        split(FRAME.assign(who="p"), group="who")
