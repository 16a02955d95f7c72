from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from amodal.batch import Batch
from amodal.metrics import (
    BY_TYPE,
    MetricUnavailable,
    Predict,
    column_metrics,
    completion_error,
    fit_table_features,
    impute_iterative,
    impute_nearest,
    impute_supervised,
    impute_typical,
    join_blocks,
    predict_boosting,
    predict_linear,
    row_vectors,
    scaled_batch,
)
from amodal.table import Table, encode, infer_schema

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("column", BY_TYPE)
def test_imputers_fill_every_type(column: str, every_type: Table) -> None:
    modalities = dict(infer_schema(every_type).used)
    real = scaled_batch(encode(every_type, modalities), modalities)
    modality, cells = modalities[column], real.x[column]
    typical = impute_typical(modality, cells, 7)
    assert typical.shape == (7, *modality.shape)
    given = row_vectors(fit_table_features(real, modalities), real)
    nearest = impute_nearest(modality, cells, given, given[:7])
    assert nearest.shape == (7, *modality.shape)
    for filled in (typical, nearest):
        assert len(modality.to_cells(filled)) == 7
        completion_error(modality, torch.cat([cells[:7]] * 2), torch.cat([filled] * 2))


def test_typical_cells_are_the_mean_and_the_mode(modalities: dict[str, Any]) -> None:
    labels = torch.tensor([2, 0, 2, 1])
    assert impute_typical(modalities["category"], labels, 3).tolist() == [2, 2, 2]
    numbers = modalities["number"]
    low, high = numbers.quantiles[40 // 4], numbers.quantiles[-40 // 4]
    cells = numbers.to_tensor(pd.Series([low, high]), None)
    filled = numbers.to_cells(impute_typical(numbers, cells, 1))
    assert filled[0] == pytest.approx((low + high) / 2, abs=0.05)


def test_neighbours_and_regressions_use_what_is_given(modalities: dict[str, Any]) -> None:
    numbers, labels = modalities["number"], modalities["category"]
    given = RNG.normal(size=(400, 2))
    low, high = numbers.quantiles[0], numbers.quantiles[-1]
    values = (low + high) / 2 + (high - low) / 8 * given[:, 0].clip(-3, 3)
    cells = numbers.to_tensor(pd.Series(values.tolist()), None)
    known, hidden = slice(0, 300), slice(300, 400)
    typical = completion_error(numbers, cells[hidden], impute_typical(numbers, cells[known], 100)).value
    near = impute_nearest(numbers, cells[known], given[known], given[hidden])
    holed = np.where(RNG.random(given.shape) < 0.1, np.nan, given)
    holed[:, 0] = given[:, 0]
    regressed = impute_iterative(numbers, cells[known], holed[known], holed[hidden])
    for filled in (near, regressed):
        assert completion_error(numbers, cells[hidden], filled).value < typical / 2
    # Each label has a side of its own: one between others is never the most likely by straight lines.
    turn = np.arange(3) * 2 * np.pi / 3
    named = torch.from_numpy((given @ np.stack([np.cos(turn), np.sin(turn)])).argmax(axis=1))
    regressed = impute_iterative(labels, named[known], holed[known], holed[hidden])
    assert completion_error(labels, named[hidden], regressed).value > 0.8


@pytest.mark.parametrize("predict", [predict_linear, predict_boosting])
def test_supervised_models_read_words_pictures_and_sounds(
    predict: Predict, modalities: dict[str, Any]
) -> None:
    """A number that a word and a shade tell, and a label that a pitch tells, beside columns that tell nothing."""
    rows, numbers, labels = 400, modalities["number"], modalities["category"]
    word, shade, pitch = RNG.integers(0, 3, rows), RNG.uniform(0.1, 0.9, rows), RNG.integers(0, 3, rows)
    height, width = modalities["image"].shape[-2:]
    image = torch.from_numpy(shade).float()[:, None, None, None].expand(rows, 3, height, width)
    sound = torch.from_numpy(RNG.uniform(0.0, 0.2, (rows, *modalities["audio"].shape))).float()
    sound[torch.arange(rows), torch.from_numpy(10 * pitch)] = 0.9
    texts = np.array([f"{RNG.integers(99)} a {('unseen', 'words', 'tell')[each]}" for each in word], object)
    low, high = numbers.quantiles[0], numbers.quantiles[-1]
    number = numbers.to_tensor(pd.Series(low + (high - low) * (word + 2 * shade) / 5), None)
    label = torch.from_numpy(pitch)
    cells: dict[str, Any] = {"image": image, "audio": sound, "text": texts}
    fitted, others = np.arange(rows) < 300, np.arange(rows) >= 300
    blocks = [
        column_metrics(modalities[name]).fit_block(
            (each[:300], np.ones(300, bool)), (each[300:], np.ones(100, bool))
        )
        for name, each in cells.items()
    ]
    inputs = join_blocks(blocks)
    truth = number[300:]
    typical = completion_error(numbers, truth, impute_typical(numbers, number[:300], 100)).value
    filled = impute_supervised(numbers, number[fitted], inputs, predict)
    assert completion_error(numbers, truth, filled).value < typical / 3
    filled = impute_supervised(labels, label[fitted], inputs, predict)
    assert completion_error(labels, label[others], filled).value > 0.9


def test_missing_cells_are_inputs_too(real: Batch, modalities: dict[str, Any]) -> None:
    present = RNG.random(40) < 0.7
    for name, modality in modalities.items():
        cells = modality.to_cells(real.x[name][present]) if name == "text" else real.x[name][present]
        side = (np.array(cells, object) if name == "text" else cells, present)
        block = column_metrics(modality).fit_block(side, side)
        empty = (side[0][:0], np.zeros(5, bool))
        for part in (block, column_metrics(modality).fit_block(side, empty)):
            assert part.wide[0].shape[0] == part.dense[0].shape[0] == 40
            assert all(np.isfinite(dense).all() for dense in part.dense)


def test_texts_of_the_table_are_imputed_with_words_that_the_model_lacks(modalities: dict[str, Any]) -> None:
    texts = np.array(["quite unseen"] * 6 + ["the cat"] * 4, object)
    text = modalities["text"]
    assert impute_typical(text, texts, 2).tolist() == ["quite unseen"] * 2
    given = np.arange(10.0)[:, None]
    assert impute_nearest(text, texts, given, given[[0, 9]]).tolist() == ["quite unseen", "the cat"]
    unknown = text.to_tensor(pd.Series(texts.tolist()), None)
    assert completion_error(text, texts[:10], unknown).value < 0.5
    assert completion_error(text, texts, texts).value == 1


def test_unavailable_with_the_reason(real: Batch, modalities: dict[str, Any]) -> None:
    given = np.zeros((40, 2))
    with pytest.raises(MetricUnavailable, match="column of type image"):
        impute_iterative(modalities["image"], real.x["image"], given, given)
    block = column_metrics(modalities["number"]).fit_block(*[(real.x["number"], np.ones(40, bool))] * 2)
    with pytest.raises(MetricUnavailable, match="column of type text"):
        impute_supervised(modalities["text"], real.x["text"], block, predict_linear)
    with pytest.raises(MetricUnavailable, match="all real cells are the same"):
        impute_supervised(modalities["category"], torch.zeros(40, dtype=int), block, predict_linear)
    with pytest.raises(MetricUnavailable, match="none is given"):
        impute_iterative(modalities["number"], real.x["number"], given[:, :0], given[:, :0])
    with pytest.raises(MetricUnavailable, match="at least 5 real cells"):
        impute_nearest(modalities["number"], real.x["number"][:4], given[:4], given)
    with pytest.raises(MetricUnavailable, match="at least 1 real cells"):
        impute_typical(modalities["number"], real.x["number"][:0], 3)
    with pytest.raises(MetricUnavailable, match="at least 10 hidden cells, and there are 3"):
        completion_error(modalities["number"], real.x["number"][:3], real.x["number"][:3])
    with pytest.raises(ValueError, match="2 completed cells for 3"):
        completion_error(modalities["number"], real.x["number"][:3], real.x["number"][:2])
