"""Cells that a reader of a report looks at, beside its numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial.distance import cdist
from torch import Tensor

from amodal.batch import Batch
from amodal.metrics import row_vectors, scaled_batch
from amodal.modalities import Modality
from amodal.report.context import Evidence, embedded
from amodal.report.sections.coherence import Translations
from amodal.report.tables import read_rows
from amodal.table import Table

_MOST_COLOURS = 20


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
        distance: between the two, in features; see `amodal.metrics.features`.
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


def show(
    evidence: Evidence,
    training: Table | None,
    translations: Translations,
    nearest: NDArray[np.int64] | None,
    *,
    target: str | None,
    rows: int,
) -> Shown:
    """Make some rows' cells, among them sounds, which take a while each.

    Args:
        evidence: the rows.
        training: the table of training rows, if known.
        translations: each column drawn from each other one.
        nearest: each generated row's nearest training row; None where there is none.
        target: the column that the map is coloured by where it is a category.
        rows: how many real and generated rows.
    """
    cells = _Cells(evidence.modalities)
    embedding = embedded(evidence.model, evidence.stored)
    labels, column = _labels(evidence, target)
    return Shown(
        real=[cells.row(evidence.judged, row) for row in range(min(rows, len(evidence.judged)))],
        beside=_beside(evidence, training, nearest, cells, rows),
        nearest_are="real" if nearest is None or training is None else "training",
        translated=_translated(evidence, translations, cells),
        real_values=_values(evidence.modalities, evidence.judged),
        generated_values=_values(evidence.modalities, evidence.generated),
        real_rows=evidence.judged,
        generated_rows=evidence.generated,
        embedding=embedding,
        map=_principal(embedding),
        map_labels=labels,
        map_column=column,
    )


class _Cells:
    """Makes cells of scaled tensors."""

    def __init__(self, modalities: Mapping[str, Modality]) -> None:
        self._modalities = modalities

    def cell(self, name: str, tensor: Tensor) -> Any:
        return self._modalities[name].to_cells(tensor[None])[0]

    def row(self, batch: Batch, row: int) -> ShownRow:
        return ShownRow(
            {
                name: self.cell(name, batch.x[name][row]) if batch.present[row, index] else None
                for index, name in enumerate(self._modalities)
            },
            int(batch.rows[row]),
        )


def _beside(
    evidence: Evidence, training: Table | None, nearest: NDArray[np.int64] | None, cells: _Cells, rows: int
) -> list[Beside]:
    made = evidence.generated[:rows]
    if not len(evidence.known) or not evidence.features:
        return []
    vectors = row_vectors(evidence.features, made)
    if nearest is not None and training is not None:
        real = scaled_batch(
            read_rows(training, evidence.modalities, nearest[: len(made)], "missing"), evidence.modalities
        )
        others = row_vectors(evidence.features, real)
        distances = np.linalg.norm(vectors - others, axis=1)
    else:
        known = row_vectors(evidence.features, evidence.known)
        apart = cdist(vectors, known)
        real, distances = evidence.known[apart.argmin(axis=1)], apart.min(axis=1)
    return [
        Beside(cells.row(made, row), cells.row(real, row), float(distances[row])) for row in range(len(made))
    ]


def _translated(evidence: Evidence, translations: Translations, cells: _Cells) -> list[Translated]:
    shown = []
    rows: dict[int, ShownRow] = {}
    for given, drawn in translations.items():
        has = evidence.judged.mask(given)
        # The fullest row has most to compare with.
        row = int((evidence.judged.present.sum(dim=1) * has).argmax())
        if row not in rows:
            rows[row] = cells.row(evidence.judged, row)
        place = int(has[:row].sum())
        shown += [
            Translated(given, target, rows[row], cells.cell(target, made[place]))
            for target, made in drawn.items()
        ]
    return shown


def _values(modalities: Mapping[str, Modality], rows: Batch) -> dict[str, Sequence[Any]]:
    return {
        name: modality.to_cells(rows.column(name))
        for name, modality in modalities.items()
        if modality.type in ("number", "category")
    }


def _labels(evidence: Evidence, target: str | None) -> tuple[list[str], str]:
    """Labels of judged rows by which a map is coloured, "" where missing, and their column."""
    labelled = {
        name: len(torch.unique(evidence.judged.column(name)))
        for name, modality in evidence.modalities.items()
        if modality.type == "category"
    }
    few = [name for name, count in labelled.items() if 2 <= count <= _MOST_COLOURS]
    column = target if target in labelled else max(few, key=lambda name: labelled[name], default=None)
    if column is None:
        return [], ""
    cells = evidence.modalities[column].to_cells(evidence.judged.x[column])
    known = evidence.judged.mask(column)
    return [str(cell) if there_is else "" for cell, there_is in zip(cells, known, strict=True)], column


def _principal(embedding: NDArray[np.float32]) -> NDArray[np.float32]:
    centred = embedding - embedding.mean(axis=0)
    _, _, axes = np.linalg.svd(centred, full_matrices=False)
    flat = np.zeros((len(embedding), 2), np.float32)
    flat[:, : min(2, len(axes))] = centred @ axes[:2].T
    return flat
