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
    completion_error,
    fit_table_features,
    impute_iterative,
    impute_nearest,
    impute_typical,
    row_vectors,
)

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("column", BY_TYPE)
def test_imputers_fill_every_type(column: str, real: Batch, modalities: dict[str, Any]) -> None:
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


def test_unavailable_with_the_reason(real: Batch, modalities: dict[str, Any]) -> None:
    given = np.zeros((40, 2))
    with pytest.raises(MetricUnavailable, match="column of type image"):
        impute_iterative(modalities["image"], real.x["image"], given, given)
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
