from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from amodal import TableModel
from amodal.errors import UsageError
from amodal.table import infer_schema, mark_missing, read_table
from tests.conftest import Command

RNG = np.random.default_rng(0)
AGES = np.where(np.arange(80) % 4 == 0, -1, np.arange(80) * 7 % 67 + 20)


@pytest.mark.parametrize(
    "cells",
    [
        AGES,
        AGES.astype(float),
        AGES.astype(str),
        pd.array(AGES, dtype="Int64"),
        AGES.astype("int8"),
        AGES.astype(object),
    ],
)
@pytest.mark.parametrize("code", [-1, -1.0, "-1", np.int64(-1)])
def test_a_code_is_missing_in_any_form(cells: Any, code: Any) -> None:
    table = mark_missing(read_table(pd.DataFrame({"age": cells})), {"age": [code], "other": [3]})
    assert table.frame["age"].isna().tolist() == (AGES == -1).tolist()


def test_likely_codes_are_mentioned() -> None:
    table = read_table(pd.DataFrame({"age": AGES, "score": np.where(AGES < 0, 999, AGES), "n": AGES + 1}))
    age, score, other = infer_schema(table).columns
    assert "-1 (20 cells) may stand for missing" in age.reason
    assert "999 (20 cells) may stand for missing" in score.reason
    assert "may stand" not in other.reason


def test_codes_are_drawn_and_stay_missing_codes_in_a_saved_model(tmp_path: Path) -> None:
    table = pd.DataFrame({"age": AGES, "n": RNG.normal(size=80)})
    model = TableModel(missing={"age": [-1]}, epochs=1, latent=4).fit(table)
    assert model.schema_.columns[0].missing == 0.25
    model.save(tmp_path / "model")
    for each in (model, TableModel.load(tmp_path / "model")):
        completed = each.complete(table)
        assert completed["age"].min() >= 20
        assert (completed["age"] == table["age"])[AGES > 0].all()
        assert each.sample(50)["age"].min() >= 20


def test_the_command_line_takes_several(tmp_path: Path, amodal: Command) -> None:
    cells = np.where(np.arange(80) % 4 == 1, 999, AGES)
    pd.DataFrame({"age": cells, "n": RNG.normal(size=80)}).to_csv(tmp_path / "t.csv", index=False)
    done = amodal("inspect", tmp_path / "t.csv", "--missing", "age=-1", "--missing", "age=999", "--json")
    assert '"missing": 0.5' in done.stdout
    amodal("inspect", tmp_path / "t.csv", "--missing", "agee=-1", code=2)


def test_an_unknown_column_is_refused() -> None:
    with pytest.raises(UsageError, match="has no column 'agee'"):
        TableModel(missing={"agee": [-1]}, epochs=1).fit(pd.DataFrame({"age": AGES}))
