from __future__ import annotations

import pandas as pd
import pytest

from amodal import DataError
from amodal.comparison.split import split_table
from amodal.modalities import MODALITIES
from amodal.table import infer_schema, read_table


@pytest.mark.parametrize(("rows", "heldout"), [(40, 20), (300, 100), (1000, 200), (20_000, 2000)])
def test_rows_are_held_out_once_and_by_seed(rows: int, heldout: int) -> None:
    table = read_table(pd.DataFrame({"n": [float(row) for row in range(rows)]}))
    one, again, other = (split_table(table, {}, seed) for seed in (3, 3, 4))
    assert len(one.heldout) == heldout
    assert sorted([*one.training.frame["n"], *one.heldout.frame["n"]]) == table.frame["n"].tolist()
    assert one.heldout.frame.equals(again.heldout.frame)
    assert not one.heldout.frame.equals(other.heldout.frame)


def test_every_label_is_fitted() -> None:
    labels = ["a", "b"] * 30 + [f"rare {number}" for number in range(6)] + [None] * 4
    table = read_table(pd.DataFrame({"label": labels, "n": range(70)}))
    modalities = infer_schema(table, MODALITIES, {"label": "category"}).used
    for seed in range(5):
        split = split_table(table, modalities, seed)
        assert set(split.heldout.frame["label"].dropna()) <= set(split.training.frame["label"].dropna())
        assert len(split.heldout) == 35


def test_one_row_is_too_few() -> None:
    with pytest.raises(DataError, match="one row"):
        split_table(read_table(pd.DataFrame({"n": [1.0]})), {}, 0)
