from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor

from amodal.batch import Batch
from amodal.metrics import MetricUnavailable, TargetScores, predict_target
from amodal.modalities import MODALITIES
from amodal.table import encode, infer_schema, read_table

ROWS = 240


def halves(rows: int = ROWS, seed: int = 0) -> pd.DataFrame:
    """A label of four of which `left` and `right` each say one half, and `noise` nothing."""
    rng = np.random.default_rng(seed)
    label = rng.integers(0, 4, rows)
    return pd.DataFrame(
        {
            "left": np.array(["low", "high"])[label // 2],
            "right": (label % 2 + rng.normal(0, 0.1, rows)).round(3),
            "noise": rng.normal(size=rows).round(3),
            "label": np.array(["north", "east", "south", "west"])[label],
            "size": (label + rng.normal(0, 0.1, rows)).round(3),
        }
    )


def fitted(frame: pd.DataFrame) -> tuple[Batch, dict[str, Any]]:
    table = read_table(frame)
    modalities: dict[str, Any] = dict(infer_schema(table, MODALITIES).used)
    return encode(table, modalities), modalities


class Oracle:
    """Embeds what it is given as it stands, and completes by what it is given."""

    def __init__(self, rows: Batch, target: str) -> None:
        self.rows, self.target = rows, target
        self.asked: list[tuple[str, ...]] = []

    def embed(self, batch: Batch) -> np.ndarray:
        given = [name for index, name in enumerate(batch.columns) if batch.present[:, index].any()]
        self.asked.append(tuple(given))
        columns = [
            batch.x[name].double() * batch.present[:, list(batch.columns).index(name)] for name in given
        ]
        return torch.stack(columns, dim=1).numpy()

    def complete(self, batch: Batch, draw: int) -> Tensor:
        both_halves = {"left", "right"} <= {
            name for index, name in enumerate(batch.columns) if batch.present[:, index].any()
        }
        known = self.rows.x[self.target][batch.rows]
        return (
            known
            if both_halves
            else known[torch.randperm(len(known), generator=torch.Generator().manual_seed(draw))]
        )


def predicted(target: str, **options: Any) -> tuple[TargetScores, Oracle]:
    frame = halves().drop(columns="size" if target == "label" else "label")
    rows, modalities = fitted(frame)
    oracle = Oracle(rows, target)
    return predict_target(rows, modalities, target, oracle.embed, oracle.complete, **options), oracle


@pytest.fixture(scope="module")
def by_label() -> tuple[TargetScores, Oracle]:
    return predicted("label")


def scores(table: TargetScores, by: str) -> dict[tuple[str, ...], float]:
    return {each.given: each.score.value for each in table.predictions if each.predictor == by}


def test_two_columns_say_what_neither_says_alone(by_label: tuple[TargetScores, Oracle]) -> None:
    table, _ = by_label
    assert (table.target, table.metric) == ("label", "accuracy")
    assert table.baseline.value == pytest.approx(0.25, abs=0.08)
    for by in ("embedding", "features", "completion"):
        found = scores(table, by)
        assert set(found) == {
            *(("left",), ("right",), ("noise",)),
            *(("left", "right", "noise"), ("right", "noise"), ("left", "noise"), ("left", "right")),
        }
        assert found["left", "right", "noise"] > 0.95
        assert found["noise",] < 0.4
        assert found["left",] < 0.65
    gains = {gain.predictor: gain.score for gain in table.gains}
    assert set(gains) == {"embedding", "features", "completion"}
    assert all(gain.low is not None and gain.low > 0.3 for gain in gains.values())


def test_each_column_has_its_worth_to_the_others(by_label: tuple[TargetScores, Oracle]) -> None:
    table, _ = by_label
    worth = {
        next(iter(set(each.given) - set(each.over))): each.score
        for each in table.ablations
        if each.predictor == "features"
    }
    assert worth["left"].value > 0.3
    assert worth["right"].value > 0.3
    assert worth["noise"].value == pytest.approx(0, abs=0.02)


def test_the_target_is_never_given(by_label: tuple[TargetScores, Oracle]) -> None:
    _, oracle = by_label
    assert len(oracle.asked) == 7
    assert not any("label" in given for given in oracle.asked)


def test_numbers_are_predicted_by_the_variance_explained() -> None:
    table, _ = predicted("size", given=["left", "right"])
    assert table.metric == "R2"
    assert table.baseline.value == pytest.approx(0.0)
    for by in ("embedding", "features", "completion"):
        found = scores(table, by)
        assert set(found) == {("left",), ("right",), ("left", "right")}
        assert found["left", "right"] > 0.9
        assert found["right",] < 0.5


def test_an_unseen_label_and_missing_cells_are_no_obstacle() -> None:
    frame = halves(80).drop(columns="size")
    frame.loc[5, "label"] = "nowhere else"
    frame.loc[7, "label"] = None
    frame.loc[10:30, "left"] = None
    rows, modalities = fitted(frame)
    oracle = Oracle(rows, "label")
    table = predict_target(rows, modalities, "label", oracle.embed, oracle.complete, draws=2)
    assert table.baseline.rows == 79
    assert all(np.isfinite(each.score.value) for each in table.predictions)


def test_one_other_column_has_nothing_to_gain() -> None:
    table, _ = predicted("label", given=["left"])
    assert len(table.predictions) == 3
    assert table.gains == table.ablations == ()


def test_targets_are_unavailable(real: Batch, modalities: dict[str, Any]) -> None:
    frame = halves(60).drop(columns="size")
    rows, known = fitted(frame)
    oracle = Oracle(rows, "label")

    def left_out(rows: Batch, target: str = "label", **options: Any) -> str:
        with pytest.raises(MetricUnavailable) as caught:
            predict_target(rows, known, target, oracle.embed, oracle.complete, **options)
        return str(caught.value)

    assert "nothing" not in left_out(rows, given=[])
    assert left_out(rows, given=["label"]) == "there is no column to predict 'label' from"
    few = rows[:9]
    assert left_out(few) == "it needs at least 50 rows with a cell of 'label', and there are 9"
    rows.x["label"][:] = 0
    assert left_out(rows) == "fewer than two labels of 'label' have 5 rows"
    rows.x["noise"][:] = 0
    assert left_out(rows, "noise") == "all numbers of 'noise' are the same"


def test_pictures_are_no_target(real: Batch, modalities: dict[str, Any]) -> None:
    rows = Batch(
        {name: torch.cat([x, x]) for name, x in real.x.items()},
        torch.cat([real.present, real.present]),
        torch.arange(80),
    )
    with pytest.raises(MetricUnavailable, match="'image' is of type image"):
        predict_target(
            rows, modalities, "image", lambda rows: np.zeros((80, 1)), lambda rows, draw: rows.rows
        )
