"""Predictions, best completions and certainty."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from amodal import TableModel, UsageError
from amodal.answers.best import complete_best
from amodal.distributions import RowNoise, quantile
from amodal.inference import encode_table
from amodal.table import read_table


def holes_of(table: pd.DataFrame) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    holes = table.head(120).astype({"a": float})
    for name in ("kind", "price", "note"):
        holes.loc[rng.random(120) < 0.4, name] = None
    return holes


@pytest.mark.parametrize("name", ["model", "vae"])
def test_probabilities_are_those_of_the_models_likelihood(
    name: str, request: pytest.FixtureRequest, table: pd.DataFrame
) -> None:
    model = request.getfixturevalue(name)
    rows = table.head(30).set_index(pd.Index(range(100, 130)))
    probs = model.predict_proba(rows, "kind")
    assert list(probs) == ["x", "y", "z"]
    assert probs.index.tolist() == list(range(100, 130))
    assert np.allclose(probs.sum(axis=1), 1.0)
    # The column's own cells are not looked at.
    again = model.predict_proba(rows.assign(kind="z"), "kind")
    assert np.allclose(probs, again, atol=1e-6)
    top = model.predict_top(rows, "kind", k=2)
    assert top["cell"][top["rank"] == 1].tolist() == probs.idxmax(axis=1).tolist()
    assert len(model.predict_top(rows, "kind", k=9)) == 90


def test_log_probabilities_are_the_scores_of_cells(model: TableModel, table: pd.DataFrame) -> None:
    network = model.fitted_.model
    batch = encode_table(network, read_table(table.head(40)))
    scores = network.cell_log_prob(batch, RowNoise(0, batch.rows))[:, 0]
    probs = model.predict_proba(table.head(40), "kind").to_numpy()
    codes = batch.x["kind"].numpy()
    assert np.allclose(scores.exp().numpy(), probs[np.arange(40), codes], atol=1e-5)


@pytest.mark.parametrize("name", ["model", "vae"])
def test_intervals_hold_as_many_draws_as_they_say(
    name: str, request: pytest.FixtureRequest, table: pd.DataFrame
) -> None:
    model = request.getfixturevalue(name)
    row = table.head(1).drop(columns=["low", "note"])
    levels = model.predict_quantiles(row, "price", [0.1, 0.5, 0.9])
    assert levels.iloc[0].is_monotonic_increasing
    given = row.drop(columns="price").iloc[0].to_dict()
    network = model.fitted_.model
    batch = encode_table(network, read_table(pd.DataFrame([given] * 4_000)))
    drawn = network.complete(batch, ["price"], RowNoise(0, batch.rows))["price"]
    prices = np.array(network.modalities["price"].to_cells(drawn))
    inside = (prices >= levels.iloc[0, 0]) & (prices <= levels.iloc[0, 2])
    assert inside.mean() == pytest.approx(0.8, abs=0.04)


def test_quantiles_of_a_mixture_invert_its_distribution_function() -> None:
    even = torch.distributions.Categorical(logits=torch.zeros(3, 2))
    parts = torch.distributions.Normal(torch.tensor([[0.0, 4.0]] * 3), torch.ones(3, 2))
    mixture = torch.distributions.MixtureSameFamily(even, parts)
    levels = torch.tensor([0.1, 0.5, 0.9])
    assert torch.allclose(mixture.cdf(quantile(mixture, levels)), levels, atol=1e-5)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda model, rows: model.predict_proba(rows, "price"), "predict_quantiles is for numbers"),
        (lambda model, rows: model.predict_quantiles(rows, "kind"), "predict_proba is for labels"),
        (lambda model, rows: model.predict_quantiles(rows, "price", [1.5]), "between 0 and 1"),
        (lambda model, rows: model.predict_proba(rows, "colour"), "no column 'colour'"),
        (lambda model, rows: model.predict_top(rows, "kind", 0), "at least 1"),
        (lambda model, rows: model.complete(rows, best=True, draws=2), "best=True or draws"),
    ],
)
def test_questions_that_have_no_answer_are_refused(
    model: TableModel, table: pd.DataFrame, call, said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        call(model, table.head(3))


def test_best_cells_are_the_likeliest_labels_and_median_numbers(vae: TableModel, table: pd.DataFrame) -> None:
    holes = holes_of(table)
    best = vae.complete(holes, best=True)
    is_hole = holes["kind"].isna()
    probs = vae.predict_proba(holes, "kind")
    assert (best["kind"][is_hole] == probs.idxmax(axis=1)[is_hole]).mean() > 0.95  # of other latents
    assert not best.isna().any().any()
    assert (best["kind"][~is_hole] == holes["kind"][~is_hole]).all()


def test_best_cells_do_not_depend_on_the_seed_and_keep_rules(model: TableModel, table: pd.DataFrame) -> None:
    holes = holes_of(table)
    one, two = (model.complete(holes, best=True, seed=seed) for seed in (0, 1))
    assert one["kind"].tolist() == two["kind"].tolist()
    assert one["price"].tolist() == two["price"].tolist()
    assert (one["low"] <= one["price"]).all()
    is_hole = holes["kind"].isna().to_numpy()
    likeliest = model.predict_proba(holes, "kind").idxmax(axis=1)
    assert one["kind"][is_hole].tolist() == likeliest[is_hole].tolist()


def test_best_texts_are_likelier_than_single_draws(model: TableModel, table: pd.DataFrame) -> None:
    network = model.fitted_.model
    batch = encode_table(network, read_table(table.head(60))).without("note")
    noise = RowNoise(0, batch.rows)
    likelihood = network.predict(batch, ["note"], noise)["note"]
    best = complete_best(network, batch, ["note"], RowNoise(0, batch.rows))["note"]
    drawn = network.complete(batch, ["note"], RowNoise(0, batch.rows))["note"]
    with torch.no_grad():
        assert likelihood.log_prob(best).mean() > likelihood.log_prob(drawn).mean()


def test_drawn_cells_and_their_certainty_are_recorded(
    model: TableModel, table: pd.DataFrame, tmp_path: Path
) -> None:
    holes = holes_of(table)
    full = model.complete(holes, draws=2, certainty=True)
    drawn = full.attrs["drawn"].to_frame()
    assert np.array_equal(drawn["kind"], holes["kind"].isna().repeat(2))
    assert not drawn["total"].any()
    certainty = full.attrs["certainty"].to_frame()
    labels = certainty[certainty["column"] == "kind"]
    assert len(labels) == 2 * holes["kind"].isna().sum()
    probs = model.predict_proba(holes, "kind")
    for line in labels.itertuples():
        assert line.cell == full["kind"].iloc[line.row - 1]
        assert line.probability == pytest.approx(probs[line.cell].iloc[(line.row - 1) // 2], abs=1e-6)
    numbers = certainty[certainty["column"] == "price"]
    assert (numbers["low"] <= numbers["high"]).all()
    # pandas copies, compares and writes what is in attrs.
    assert len(pd.concat([full, full.copy()])) == 480
    full.to_parquet(tmp_path / "full.parquet")
    assert json.dumps(full.attrs)
