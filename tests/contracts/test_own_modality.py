"""A column type of a user's own: one file and its place in a tuple."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pandas as pd
import pytest

from amodal import TableModel
from amodal.errors import DataError
from amodal.modalities import MODALITIES

CLOCK = '''
"""Times of day, "HH:MM"."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import nn

from amodal.errors import BadCells, RejectColumn
from amodal.modalities import Modality
from amodal.modalities.heads import CategoricalHead
from amodal.nn import Dense


@dataclass(frozen=True)
class Clock(Modality):
    """A time of day, stored as its number of steps from midnight."""

    type: ClassVar[str] = "clock"
    representation: ClassVar[str] = "steps"
    unit: ClassVar[str] = "steps from midnight"
    dtype: ClassVar[str] = "int64"

    minutes: int
    shape = ()

    @classmethod
    def detect(cls, cells, root):
        if not cells.astype(str).str.fullmatch(r"[0-2]\\d:[0-5]\\d").all():
            raise RejectColumn("not times of day")
        return "all sampled cells are times of day"

    @classmethod
    def fit(cls, cells, root, **options):
        return cls(**({"minutes": 60 if cells.str.endswith(":00").all() else 1} | options))

    @property
    def summary(self):
        return f"in steps of {self.minutes} min"

    def to_tensor(self, cells, root):
        bad = {i: f"{cell!r} is no time" for i, cell in enumerate(cells) if ":" not in str(cell)}
        if bad:
            raise BadCells(bad)
        times = [int(cell[:2]) * 60 + int(cell[3:]) for cell in cells]
        return torch.tensor(times, dtype=torch.int64) // self.minutes

    def to_cells(self, tensor):
        times = (tensor * self.minutes).tolist()
        return [f"{time // 60:02}:{time % 60:02}" for time in times]

    def encoder(self, features):
        steps = 24 * 60 // self.minutes
        return nn.Sequential(nn.Embedding(steps, features), nn.GELU(), Dense(features, features))

    def head(self, context):
        return CategoricalHead(context, 24 * 60 // self.minutes)
'''
SHIFTS = {"early": "06:00", "late": "14:00", "night": "22:00"}


@pytest.fixture(scope="module")
def clock(tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    path = tmp_path_factory.mktemp("own") / "clock.py"
    path.write_text(CLOCK)
    spec = importlib.util.spec_from_file_location("clock", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("method", ["latent-flow", "mvae", "early-fusion"])
def test_a_column_of_an_own_type_is_fitted_completed_saved_and_loaded(
    clock: ModuleType, method: str, tmp_path: Path
) -> None:
    class Model(TableModel):
        modalities = (clock.Clock, *MODALITIES)

    rows = [(*shift, kind) for shift in SHIFTS.items() for kind in "ab"] * 10
    table = pd.DataFrame(rows, columns=["shift", "start", "kind"])
    holes = table.assign(start=table["start"].where(table.index % 5 > 0))
    model = Model(method, epochs=2).fit(holes)
    assert model.schema_.used["start"] == clock.Clock(60)
    completed = model.complete(holes)
    assert completed["start"].str.fullmatch(r"[0-2]\d:00").all()
    kept = holes["start"].notna()
    assert (completed["start"] == holes["start"])[kept].all()
    model.save(tmp_path / "model")
    loaded = Model.load(tmp_path / "model")
    assert loaded.schema_.used == model.schema_.used
    pd.testing.assert_frame_equal(loaded.complete(holes), completed)
    with pytest.raises(DataError, match=r"'start' is of type clock:steps, which is not known here"):
        TableModel.load(tmp_path / "model")


def test_it_is_given_by_name_and_its_bad_cells_are_listed(clock: ModuleType) -> None:
    class Model(TableModel):
        modalities = (*MODALITIES, clock.Clock)

    table = pd.DataFrame({"start": ["06:00", "14:00"] * 10 + ["noon"], "kind": ["a", "b"] * 10 + ["a"]})
    model = Model(types={"start": "clock"}, options={"start": {"minutes": 30}}, epochs=1, bad_cells="missing")
    assert model.fit(table).schema_.used["start"] == clock.Clock(30)
    assert [cell.cell for cell in model.bad_cells_] == ["noon"]
