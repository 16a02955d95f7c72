from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from amodal.batch import Batch
from amodal.metrics import (
    completion_error,
)

PERFECT = {"image": 1.0, "audio": 0.0, "text": 1.0, "number": 0.0, "category": 1.0}


@pytest.mark.parametrize("column", PERFECT)
def test_real_cells_complete_themselves_and_others_do_not(
    column: str, real: Batch, modalities: dict[str, Any]
) -> None:
    cells = real.x[column]
    same = completion_error(modalities[column], cells, cells)
    other = completion_error(modalities[column], cells, cells.roll(1, 0))
    assert same.value == pytest.approx(PERFECT[column])
    sign = 1 if same.better == "higher" else -1
    assert sign * same.value > sign * other.value
    assert other.low is not None
    assert other.high is not None
    assert other.low <= other.value <= other.high


def test_errors_are_in_the_units_of_cells(real: Batch, modalities: dict[str, Any]) -> None:
    numbers = modalities["number"]
    error = completion_error(numbers, real.x["number"], real.x["number"].roll(1, 0))
    cells = np.array(numbers.to_cells(real.x["number"]))
    assert (error.name, error.unit) == ("RMSE", "the column's own")
    assert error.value == pytest.approx(np.sqrt(np.mean((cells - np.roll(cells, 1)) ** 2)))
    silence, loud = torch.full((10, 40, 5), -0.5), torch.full((10, 40, 5), 1.0)
    error = completion_error(modalities["audio"], silence, loud)
    assert (error.name, error.unit, error.value) == ("mel distance", "dB", 80.0)
