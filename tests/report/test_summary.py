"""Headlines of reports: the lowest part, its interval and its words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from torch import Tensor

from amodal.batch import Batch
from amodal.distributions import RowNoise
from amodal.metrics import Estimate
from amodal.report import Report, evaluate
from amodal.table import Table, read_table
from tests.metrics.pictures import blurred, drawings, worthless
from tests.report.test_evaluate import Collapsed, Copier, Shuffler, fitted, kinds

ROWS = 120


def pictures(folder: Path, name: str, seed: int) -> Table:
    """Drawings beside a number, each in half of the size to be quick."""
    images = drawings(ROWS, seed)[:, ::2, ::2]
    for row, image in enumerate(images):
        Image.fromarray(image).save(folder / f"{name}{row}.png")
    numbers = np.random.default_rng(seed).normal(size=ROWS).round(3)
    frame = pd.DataFrame({"picture": [f"{name}{row}.png" for row in range(ROWS)], "number": numbers})
    return read_table(frame, folder)


class Spoiled(Shuffler):
    """Draws real cells, of which pictures are spoiled."""

    @staticmethod
    def spoil(images: np.ndarray) -> np.ndarray:
        return images

    def complete(self, batch: Batch, targets: Any, noise: RowNoise) -> dict[str, Tensor]:
        cells = super().complete(batch, targets, noise)
        if "picture" in cells:
            modality = self.modalities["picture"]
            spoiled = self.spoil(np.stack(modality.to_cells(cells["picture"])))
            stored = torch.from_numpy(np.ascontiguousarray(spoiled.transpose(0, 3, 1, 2)))
            cells["picture"] = modality.scale(stored)
        return cells

    def embed(self, batch: Batch) -> Tensor:
        return torch.zeros(len(batch), 2)


class Blurred(Spoiled):
    @staticmethod
    def spoil(images: np.ndarray) -> np.ndarray:
        return blurred(images, 1.5)


class Noise(Spoiled):
    @staticmethod
    def spoil(images: np.ndarray) -> np.ndarray:
        return worthless(images)["uniform noise"]


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> tuple[Table, Table]:
    folder = tmp_path_factory.mktemp("pictures")
    return pictures(folder, "training", 0), pictures(folder, "heldout", 1)


@pytest.mark.parametrize(("model", "words"), [(Blurred, "blurred, with"), (Noise, "noisy, with")])
def test_one_bad_column_is_the_headline_and_named(
    tables: tuple[Table, Table], model: type[Copier], words: str
) -> None:
    training, heldout = tables
    report = evaluate(fitted(training, model), heldout, training=training).report
    summary = report.summary
    assert summary.overall is not None
    assert summary.overall.value < (0.6 if model is Blurred else 0.1)
    assert f"picture (images are {words}" in summary.weakness
    assert any(summary.weakness in sentence for sentence in summary.sentences)
    assert report.sections["detection"].value > 0.9
    good = evaluate(fitted(training, Spoiled), heldout, training=training).report.summary
    assert good.fidelity is not None
    assert good.fidelity.value > 0.7


def estimates(value: Any) -> list[Estimate]:
    """All estimates in a report, however deep."""
    if isinstance(value, Estimate):
        inside = [getattr(value, name, None) for name in ("ceiling", "floor")]
        return [value, *(each for each in inside if each is not None)]
    if isinstance(value, dict):
        return [each for part in value.values() for each in estimates(part)]
    if isinstance(value, (list, tuple)):
        return [each for part in value for each in estimates(part)]
    fields = getattr(value, "__dict__", {})
    return [each for part in fields.values() for each in estimates(part)]


@pytest.mark.parametrize("model", [Copier, Shuffler, Collapsed])
def test_every_interval_contains_its_value_and_the_headline_is_the_lowest(model: type[Copier]) -> None:
    training, heldout = read_table(kinds(300, 0)), read_table(kinds(120, 1))
    report: Report = evaluate(fitted(training, model), heldout, training=training, target="kind").report
    found = estimates(report)
    assert len(found) > 100
    assert all(each.interval[0] <= each.value <= each.interval[1] for each in found)
    summary = report.summary
    parts = [each for each in (summary.fidelity, summary.matching_accuracy, summary.whole_rows) if each]
    assert summary.overall is not None
    assert summary.overall.value == min(part.value for part in parts)
    marks = [metric.normalized for column in report.sections["fidelity"] for metric in column.metrics]
    assert summary.fidelity is not None
    assert summary.fidelity.value == min(mark for mark in marks if mark is not None)
    assert summary.weakness


def test_texts_of_unseen_words_are_no_empty_texts() -> None:
    """A model that draws nothing of texts that it cannot read is not right about them."""

    def table(words: list[str], seed: int) -> Table:
        rng = np.random.default_rng(seed)
        texts = [" ".join(rng.choice(words, 5)) for _ in range(ROWS)]
        return read_table(pd.DataFrame({"said": texts, "near": rng.normal(size=ROWS).round(2)}))

    known, unknown = [[f"{letter}{number}" for number in range(40)] for letter in "xy"]
    training, heldout = table(known, 0), table(unknown, 1)

    class Silent(Shuffler):
        def complete(self, batch: Batch, targets: Any, noise: RowNoise) -> dict[str, Tensor]:
            cells = super().complete(batch, targets, noise)
            return cells | {"said": torch.zeros_like(cells["said"])} if "said" in cells else cells

        def embed(self, batch: Batch) -> Tensor:
            return torch.zeros(len(batch), 2)

    model = fitted(training, Silent)
    assert set(model.model.modalities["said"].to_cells(torch.zeros(1, 5, dtype=torch.int32))) == {""}
    report = evaluate(model, heldout, training=training).report
    completion = {column.column: column for column in report.sections["completion"]}
    assert completion["said"].model.name == "token F1"
    assert completion["said"].model.value == 0
    assert all(imputer.value == 0 for imputer in completion["said"].imputers)
