from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from amodal import TableModel, UsageError
from amodal.answers.scoring import score_table


def test_search_is_exact(model: TableModel, table: pd.DataFrame) -> None:
    rows = table.set_index(pd.Index(range(1_000, 1_400)))
    queries = pd.concat([table.iloc[[3, 7]][["note", "price"]], table.iloc[[9]][["kind"]]])
    found = model.search(queries, rows, k=5)
    for number, columns in enumerate([["note", "price"], ["price"], ["kind"]], start=1):
        query = queries.iloc[[number - 1]].dropna(axis=1)
        used = list(query.columns)
        distance = np.linalg.norm(model.embed(rows[used]).astype(float) - model.embed(query), axis=1)
        mine = found[found["query"] == number]
        assert np.allclose(mine["distance"], np.sort(distance)[:5], atol=1e-6)
        assert np.allclose(distance[mine["row"] - 1], mine["distance"], atol=1e-6)
        assert mine.index.tolist() == [999 + row for row in mine["row"]]
        assert set(columns) >= set(used) or number == 2
    assert found["row"].iloc[0] == 4
    assert len(model.search(queries.head(1), rows.head(3), k=10)) == 3


def test_search_by_some_columns_alone(model: TableModel, table: pd.DataFrame) -> None:
    found = model.search(table.iloc[[5]], table, columns=["kind"], k=20)
    assert (table["kind"].iloc[found["row"] - 1] == table["kind"].iloc[5]).all()
    with pytest.raises(UsageError, match="Query 2 has no cell in note"):
        model.search(pd.DataFrame({"note": ["a", None], "price": [1.0, 2.0]}), table, columns=["note"])
    with pytest.raises(UsageError, match="no column 'colour'"):
        model.search(table.head(1), table, columns=["colour"])
    with pytest.raises(UsageError, match="at least 1"):
        model.search(table.head(1), table, k=0)


def test_a_planted_outlier_comes_first(model: TableModel, table: pd.DataFrame) -> None:
    rows = table.head(200).copy()
    rows.loc[17, "kind"] = "z" if rows.loc[17, "note"] is not None and rows.loc[17, "kind"] != "z" else "x"
    rows.loc[17, "price"] = 300.0
    rows.loc[17, "low"] = 1.0
    scores = model.score_rows(rows)
    assert 18 in scores["row"].head(10).tolist()
    assert scores["surprise"].is_monotonic_decreasing
    assert scores.loc[17, "column"] in ("kind", "price", "low", "note")
    assert scores.index.tolist() == [row - 1 for row in scores["row"]]


def test_missing_cells_have_no_surprise(model: TableModel, table: pd.DataFrame) -> None:
    scores = model.score_rows(table.head(50)).sort_index()
    assert np.array_equal(scores["surprise of note"].isna(), table["note"].head(50).isna())


def test_a_joint_latent_scores_cells_by_differences(vae: TableModel, table: pd.DataFrame) -> None:
    scores = vae.score_rows(table.head(40), samples=20)
    assert np.isfinite(scores["surprise"]).all()


def test_rows_without_cells_come_last() -> None:
    scores = score_table(
        np.array([[np.nan, np.nan], [1.0, 5.0], [3.0, np.nan]]), ["u", "v"], pd.Index([5, 6, 7])
    )
    assert scores["row"].tolist()[-1] == 1
    assert scores["column"].isna().tolist() == [False, False, True]


def test_score_is_the_mean_log_likelihood(model: TableModel, table: pd.DataFrame) -> None:
    rows = table.head(30)
    assert model.score(rows) == pytest.approx(model.score_samples(rows).mean())
