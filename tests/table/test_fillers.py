from __future__ import annotations

import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from amodal import TableModel
from amodal.table import infer_schema, read_table
from amodal.table.fillers import Constant, filler_from_dict, fit_identifiers
from amodal.table.identifiers import looks_like_identifiers
from tests.modalities.written_forms import IDENTIFIERS, ROWS, Column

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("column", IDENTIFIERS, ids=lambda column: column.name)
def test_identifiers_are_new_unique_and_of_their_pattern(column: Column) -> None:
    schema = infer_schema(read_table(pd.DataFrame({"x": column.cells, "n": RNG.normal(size=ROWS)})))
    filler = schema.fillers["x"]
    assert filler_from_dict(json.loads(json.dumps(filler.to_dict()))) == filler
    new = filler.cells(200, column.cells, np.random.default_rng(0))
    assert len(set(new)) == 200
    assert not set(new) & set(column.cells)
    own = {type(cell) for cell in column.cells.astype(object)}
    assert {type(cell) for cell in new} == own
    if column.pattern:
        assert [cell for cell in new if not re.fullmatch(column.pattern, cell)] == []


@pytest.mark.parametrize("column", IDENTIFIERS, ids=lambda column: column.name)
def test_any_part_of_the_rows_of_identifiers_is_of_identifiers(column: Column) -> None:
    for seed in range(10):
        some = column.cells.sample(frac=0.8, random_state=seed)
        assert looks_like_identifiers(some)
        assert looks_like_identifiers(some.sort_index())


@pytest.mark.parametrize(
    "cells",
    [
        np.random.default_rng(3).integers(20, 90, 100),
        np.random.default_rng(3).integers(0, 10_000, 60),
        np.random.default_rng(3).normal(50, 9, 100).round(1),
    ],
)
def test_no_part_of_the_rows_of_numbers_is_of_identifiers(cells: np.ndarray) -> None:
    for seed in range(20):
        assert not looks_like_identifiers(pd.Series(cells).sample(frac=0.8, random_state=seed))


@pytest.mark.parametrize(
    "cell", ["A", 3, 2.5, True, pd.Timestamp("2023-01-05"), Decimal("1.50"), b"x", pd.Timedelta("3h")]
)
def test_constants_are_filled_and_sampled_as_they_were(cell: Any) -> None:
    frame = pd.DataFrame({"site": pd.Series([cell] * 60, dtype=object), "n": RNG.normal(size=60)})
    frame.loc[:9, "site"] = None
    model = TableModel(epochs=1, latent=4).fit(frame)
    filler = model.schema_.fillers["site"]
    assert isinstance(filler, Constant)
    assert filler_from_dict(json.loads(json.dumps(filler.to_dict()))) == filler
    assert model.complete(frame)["site"].tolist() == [cell] * 60
    sampled = model.sample(3)
    assert sampled.columns.tolist() == ["site", "n"]
    assert sampled["site"].tolist() == [cell] * 3


def test_generated_rows_have_new_identifiers_also_of_a_saved_model(tmp_path: Path) -> None:
    frame = pd.DataFrame({"id": [f"user_{row:03}" for row in range(60)], "n": RNG.normal(size=60)})
    model = TableModel(epochs=1, latent=4).fit(frame)
    model.save(tmp_path / "model")
    for each in (model, TableModel.load(tmp_path / "model")):
        assert each.sample(3)["id"].tolist() == ["user_060", "user_061", "user_062"]
    holes = frame.assign(id=frame["id"].mask(frame.index < 2))
    assert model.complete(holes)["id"].tolist() == ["user_060", "user_061", *frame["id"][2:]]


def test_a_column_that_is_ignored_on_demand_is_not_made_anew() -> None:
    frame = pd.DataFrame({"id": range(60), "n": RNG.normal(size=60)})
    model = TableModel(types={"id": "ignore"}, epochs=1, latent=4).fit(frame)
    assert model.sample(2).columns.tolist() == ["n"]


def test_codes_go_on_where_their_pattern_is_used_up() -> None:
    codes = pd.Series([f"{letter}{digit}x" for letter in "abcde" for digit in range(5)])
    new = fit_identifiers(codes).cells(400, codes, np.random.default_rng(0))
    assert len({*new, *codes}) == 425
