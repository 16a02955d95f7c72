"""Cells that a reader of a report looks at, beside its numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amodal.batch import Batch


@dataclass(frozen=True)
class ShownRow:
    """A real or generated row, as the cells that a user gets.

    Attributes:
        cells: column -> cell, None where it is missing: pictures are uint8 arrays (H, W, C), sounds have `samples`
            and `rate`, texts and labels are str, numbers float.
        row: the row's number in its table, or among generated rows, from 0.
    """

    cells: dict[str, Any]
    row: int


@dataclass(frozen=True)
class Beside:
    """A generated row and its nearest real rows.

    Attributes:
        generated: drawn with nothing given.
        nearest: the nearest training row, or of the rows matchers learned from where training rows are not there.
        distance: between the two, in features; see `amodal.evaluation.features`.
    """

    generated: ShownRow
    nearest: ShownRow
    distance: float


@dataclass(frozen=True)
class Translated:
    """A target cell drawn from one given cell, beside the row's own.

    Attributes:
        given: the given column.
        target: the drawn column.
        row: the real row, with all of its cells.
        drawn: the drawn cell.
    """

    given: str
    target: str
    row: ShownRow
    drawn: Any


@dataclass(frozen=True)
class Shown:
    """What a page shows of an evaluation; nothing of it is in report.json.

    Attributes:
        real: some held-out rows.
        beside: some generated rows with their nearest real rows.
        nearest_are: "training" or "real", what rows `Beside.nearest` are of.
        translated: for each (given, target) pair, one row.
        real_values: column of numbers or categories -> its present held-out cells.
        generated_values: likewise of generated rows.
        real_rows: the judged held-out rows, N, as scaled tensors, which `Modality.to_cells` makes any other cell of.
        generated_rows: the generated rows, L, likewise.
        embedding: float (N, D), the model's `embed` of `real_rows`.
        map: float (N, 2), the two principal components of `embedding`.
        map_labels: str of each judged row, of the target where it is a category, or of a category of few labels;
            empty where there is none.
        map_column: which column `map_labels` are of; empty where there is none.
    """

    real: list[ShownRow]
    beside: list[Beside]
    nearest_are: str
    translated: list[Translated]
    real_values: dict[str, Sequence[Any]]
    generated_values: dict[str, Sequence[Any]]
    real_rows: Batch
    generated_rows: Batch
    embedding: NDArray[np.float32]
    map: NDArray[np.float32]
    map_labels: list[str]
    map_column: str
