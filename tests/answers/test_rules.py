from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from amodal import DataError, TableModel, UsageError


def test_no_rule_is_broken_in_ten_thousand_draws(model: TableModel) -> None:
    columns = ["price", "a", "b", "total", "low"]
    rows = model.sample(10_000, seed=3)[columns]
    assert (rows["low"] <= rows["price"]).all()
    assert (rows["total"] == rows["a"] + rows["b"]).all()
    assert rows["total"].dtype.kind == "i"


def test_a_joint_latent_keeps_rules_too(table: pd.DataFrame) -> None:
    rules = ["low <= price", "total == a + b"]
    types = dict.fromkeys(["a", "b", "total", "low", "price"], "number")
    model = TableModel(method="mvtcae", epochs=2, latent=4, types=types, rules=rules).fit(
        table.drop(columns="note")
    )
    rows = model.sample(500)
    assert (rows["low"] <= rows["price"]).all()
    assert (rows["total"] == rows["a"] + rows["b"]).all()


def test_a_completed_table_keeps_its_cells_and_the_rules(model: TableModel, table: pd.DataFrame) -> None:
    holes = table.head(150).astype({"a": float, "total": float})
    rng = np.random.default_rng(0)
    for name in ("a", "total", "price", "low"):
        holes.loc[rng.random(150) < 0.3, name] = np.nan
    full = model.complete(holes)
    assert (full["total"] == full["a"] + full["b"]).all()
    assert (full["low"] <= full["price"]).all()
    for name in ("a", "total", "price", "low"):
        there = holes[name].notna()
        assert (full.loc[there, name] == holes.loc[there, name]).all()


def test_a_rule_and_a_condition_are_met_together(model: TableModel) -> None:
    rows = model.sample(200, where="total > 40 and low > 5")
    assert (rows["total"] > 40).all()
    assert (rows["low"] > 5).all()
    assert (rows["total"] == rows["a"] + rows["b"]).all()


def test_training_rows_that_break_a_rule_are_shown(table: pd.DataFrame) -> None:
    broken = table.copy()
    broken.loc[[4, 9, 11, 20], "low"] = 1e6
    with pytest.raises(
        DataError, match=r"4 of 400 rows break the rule 'low <= price': row 5 has low=1000000.0, price="
    ):
        TableModel(epochs=1, latent=4, rules="low <= price").fit(broken)


def test_a_rule_about_an_unknown_column_is_refused(table: pd.DataFrame) -> None:
    with pytest.raises(UsageError, match="rules 'lowest <= price': there is no column 'lowest'"):
        TableModel(epochs=1, latent=4, rules=["lowest <= price"]).fit(table)
    with pytest.raises(UsageError, match="rules must be texts"):
        TableModel(epochs=1, latent=4, rules=[3]).fit(table)


def test_given_cells_that_break_a_rule_are_told_with_their_row(
    model: TableModel, table: pd.DataFrame
) -> None:
    rows = table.head(3).copy()
    rows.loc[1, "low"], rows.loc[1, "price"] = 1e6, np.nan
    with pytest.raises(DataError, match="no draw of row 2 meets 'low <= price"):
        model.complete(rows)


def test_a_loaded_model_keeps_its_rules(model: TableModel, tmp_path: Path) -> None:
    model.save(tmp_path / "model")
    loaded = TableModel.load(tmp_path / "model")
    assert loaded.rules == ["low <= price", "total == a + b"]
    rows = loaded.sample(50)
    assert (rows["total"] == rows["a"] + rows["b"]).all()
