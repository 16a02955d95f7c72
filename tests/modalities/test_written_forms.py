from __future__ import annotations

import json
import re
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from amodal.distributions import RowNoise
from amodal.errors import BadCells
from amodal.modalities import MODALITIES, Modality
from amodal.table import infer_schema, read_table
from tests.modalities.written_forms import BOOLEANS, DATES, DURATIONS, MODELLED, NUMBERS, ROWS, Column


def named(columns: tuple[Column, ...]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("column", columns, ids=lambda column: column.name)


def inferred(column: Column) -> tuple[Modality, pd.Series[Any]]:
    table = read_table(pd.DataFrame({"x": column.cells, "other": range(ROWS)}), None)
    found = infer_schema(table, MODALITIES, {"other": "number"}).columns[0]
    assert found.modality is not None, found.reason
    assert found.modality.type == column.type, found.reason
    return found.modality, table.frame["x"]


def plain(cell: Any) -> Any:
    """A cell that can be compared: tags have no order."""
    return sorted(map(str, cell)) if isinstance(cell, (list, tuple, set, np.ndarray)) else cell


@named(MODELLED)
def test_cells_come_back_as_they_are_written(column: Column) -> None:
    modality, cells = inferred(column)
    back = modality.to_cells(modality.scale(modality.to_tensor(cells, None)))
    originals = cells.astype(object).tolist()
    if column.name in ("JSON", "commas", "semicolons", "bars"):
        back, originals = ([re.findall(r"\w+", text) for text in texts] for texts in (back, originals))
    if column.name == "tuples":
        originals = [str(cell) for cell in originals]
    if isinstance(originals[0], float):
        np.testing.assert_allclose(np.array(back, float), np.array(originals, float), rtol=1e-7)
        return
    assert [plain(cell) for cell in back] == [plain(cell) for cell in originals]
    assert {type(cell) for cell in back} == {type(cell) for cell in originals}


@named(MODELLED)
def test_the_state_survives_json(column: Column) -> None:
    modality, cells = inferred(column)
    restored = type(modality).from_dict(json.loads(json.dumps(modality.to_dict(), allow_nan=False)))
    assert restored == modality
    tensor = modality.scale(modality.to_tensor(cells, None))
    assert list(map(str, restored.to_cells(tensor))) == list(map(str, modality.to_cells(tensor)))


@named(MODELLED)
def test_draws_are_in_the_form_and_range_of_the_column(column: Column) -> None:
    modality, cells = inferred(column)
    torch.manual_seed(0)
    head = modality.head(3)
    head.fit_marginal(modality.scale(modality.to_tensor(cells, None)))
    drawn = modality.to_cells(modality.to_display(head(torch.randn(60, 3)), RowNoise(0, torch.arange(60))))
    assert len(drawn) == 60
    assert {type(cell) for cell in drawn} == {
        type(cell) for cell in modality.to_cells(modality.scale(modality.to_tensor(cells, None)))
    }
    if column.pattern:
        assert [cell for cell in drawn if not re.fullmatch(column.pattern, str(cell))] == []
    if modality.is_ordered:
        own, new = modality.comparable(cells), modality.comparable(list(drawn))
        assert own.min() <= new.min()
        assert new.max() <= own.max()


@named((*NUMBERS, *DATES, *DURATIONS, *BOOLEANS))
def test_texts_that_stand_for_missing_are_missing(column: Column) -> None:
    if not column.pattern or pd.api.types.is_numeric_dtype(column.cells.dtype):
        pytest.skip("cells are no texts")
    for mark in ("NA", "n/a", "?", "-", "null", "None", " "):
        cells = column.cells.mask(np.arange(ROWS) % 3 == 0, mark)
        table = read_table(pd.DataFrame({"x": cells, "other": range(ROWS)}))
        [found, _] = infer_schema(table, MODALITIES, {"other": "number"}).columns
        assert found.modality is not None
        assert found.modality.type == column.type
        assert found.missing == pytest.approx(1 / 3)
        assert f"{mark!r} taken as missing" in found.reason


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "Europe/Paris", "UTC", "Asia/Kolkata"])
def test_timestamps_of_any_unit_and_zone_come_back(unit: str, zone: str | None) -> None:
    times = pd.Series(pd.date_range("2023-10-28", periods=120, freq="37min")).astype(f"datetime64[{unit}]")
    times = times if zone is None else times.dt.tz_localize("UTC").dt.tz_convert(zone)
    modality, cells = inferred(Column("times", "datetime", times))
    back = pd.Series(modality.to_cells(modality.scale(modality.to_tensor(cells, None))))
    # Of the hour that a zone has twice, the second is meant.
    same = (back == times).to_numpy()
    assert same.mean() > (0.97 if zone == "Europe/Paris" else 0.999)


@pytest.mark.parametrize(
    ("cells", "step"),
    [
        (pd.date_range("2020-01-01", periods=60, freq="MS"), "MS"),
        (pd.date_range("2020-01-01", periods=60, freq="ME"), "ME"),
        (pd.date_range("2020-01-01", periods=60, freq="QS"), "QS"),
        (pd.date_range("2020-01-01", periods=60, freq="B"), "B"),
        (pd.date_range("2020-01-06", periods=60, freq="W-MON"), "W-MON"),
        (pd.date_range("2020-01-01", periods=60, freq="15min"), "15min"),
    ],
)
def test_dates_are_drawn_on_the_grid_of_the_column(cells: pd.DatetimeIndex, step: str) -> None:
    shuffled = pd.Series(np.random.default_rng(0).permutation(cells))
    modality, _ = inferred(Column(step, "datetime", pd.concat([shuffled, shuffled], ignore_index=True)))
    drawn = modality.to_cells(torch.randn(200))
    grid = set(pd.date_range(cells[0], cells[-1], freq=step))
    assert set(drawn) <= grid


@pytest.mark.parametrize(
    "cells",
    [
        ["2023-02-30", "2023-13-01", "tomorrow"],
        ["2023-00-10", "2023-04-31", "31.04.2023"],
    ],
)
def test_a_date_that_no_calendar_has_is_a_bad_cell(cells: list[str]) -> None:
    days = [f"2023-{1 + row % 12:02}-{1 + row % 28:02}" for row in range(40)]
    modality = infer_schema(read_table(pd.DataFrame({"x": days, "n": range(40)}))).used["x"]
    with pytest.raises(BadCells, match=r"\d cells") as caught:
        modality.to_tensor(pd.Series(cells), None)
    assert caught.value.reasons[0] == f"{cells[0]!r} is not a date (%Y-%m-%d)"
