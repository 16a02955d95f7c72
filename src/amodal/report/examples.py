"""Cells that a reader of a report looks at, besides its metrics."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial.distance import cdist
from torch import Tensor

from amodal.batch import Batch
from amodal.metrics import MetricUnavailable, row_vectors
from amodal.report.context import ReportContext

_MOST_COLOURS = 20


@dataclass(frozen=True)
class Example:
    """A real or generated row, as the cells that a user gets.

    Attributes:
        cells: column -> cell, None where it is missing: images are uint8 arrays (H, W, C), sounds have `samples`
            and `rate`, texts and labels are str, numbers float.
        row: its number in its table, or among generated rows, from 0.
    """

    cells: dict[str, Any]
    row: int


@dataclass(frozen=True)
class TranslationExample:
    """A target cell drawn from one given cell.

    Attributes:
        given: the given column.
        target: the drawn column.
        row: the real row, with all of its cells.
        drawn: the drawn cell.
    """

    given: str
    target: str
    row: Example
    drawn: Any


@dataclass(frozen=True)
class ReportExamples:
    """Cells on the page of a report; none of them is in report.json.

    Attributes:
        real: some held-out rows.
        generated: some rows drawn with nothing given.
        nearest: their nearest real rows by features.
        nearest_source: "training" or "real", the rows that `nearest` are of.
        translations: for each (given, target) pair of columns, one row.
        real_values: column of numbers or categories -> its present held-out cells.
        generated_values: likewise of generated rows.
        real_rows: the evaluated rows, N, as scaled tensors.
        latent_map: float (N, 2), the first two principal components of their embeddings.
        map_labels: str of each evaluated row, "" where missing: of the target where it is a category, or of a category
            of few labels; empty where there is none.
        map_column: the column of `map_labels`; empty where there is none.
    """

    real: list[Example]
    generated: list[Example]
    nearest: list[Example]
    nearest_source: str
    translations: list[TranslationExample]
    real_values: dict[str, Sequence[Any]]
    generated_values: dict[str, Sequence[Any]]
    real_rows: Batch
    latent_map: NDArray[np.float64]
    map_labels: list[str]
    map_column: str


def report_examples(context: ReportContext, rows: int) -> ReportExamples:
    """Convert some rows' tensors to cells, among them sounds, which take a while each.

    Args:
        context: the rows.
        rows: number of real and of generated ones.
    """
    generated = context.generated[:rows]
    nearest, source = _nearest(context, generated)
    labels, column = _map_labels(context)
    return ReportExamples(
        real=_examples(context, context.evaluated[:rows]),
        generated=_examples(context, generated),
        nearest=_examples(context, nearest),
        nearest_source=source,
        translations=_translations(context),
        real_values=_values(context, context.evaluated),
        generated_values=_values(context, context.generated),
        real_rows=context.evaluated,
        latent_map=context.latent_pca[0],
        map_labels=labels,
        map_column=column,
    )


def _cell(context: ReportContext, name: str, tensor: Tensor) -> Any:
    return context.modalities[name].to_cells(tensor[None])[0]


def _examples(context: ReportContext, batch: Batch) -> list[Example]:
    return [
        Example(
            {
                name: _cell(context, name, batch.x[name][index]) if batch.mask(name)[index] else None
                for name in context.modalities
            },
            int(batch.rows[index]),
        )
        for index in range(len(batch))
    ]


def _nearest(context: ReportContext, generated: Batch) -> tuple[Batch, str]:
    """The nearest training rows of generated ones, or reference rows where training rows are unknown or few."""
    try:
        return context.training_batch(context.copying.nearest[: len(generated)]), "training"
    except MetricUnavailable:
        if not len(context.reference) or not context.features:
            return context.reference[:0], "real"
        distances = cdist(*(row_vectors(context.features, rows) for rows in (generated, context.reference)))
        return context.reference[distances.argmin(axis=1)], "real"


def _translations(context: ReportContext) -> list[TranslationExample]:
    examples = []
    rows: dict[int, Example] = {}
    for given, drawn in context.translations.items():
        present = context.evaluated.mask(given)
        # The fullest row has most to compare with.
        row = int((context.evaluated.present.sum(dim=1) * present).argmax())
        if row not in rows:
            [rows[row]] = _examples(context, context.evaluated[row : row + 1])
        place = int(present[:row].sum())
        examples += [
            TranslationExample(given, target, rows[row], _cell(context, target, cells[place]))
            for target, cells in drawn.items()
        ]
    return examples


def _values(context: ReportContext, rows: Batch) -> dict[str, Sequence[Any]]:
    return {
        name: modality.to_cells(rows.column(name))
        for name, modality in context.modalities.items()
        if context.column(name).is_scalar
    }


def _map_labels(context: ReportContext) -> tuple[list[str], str]:
    """Labels of evaluated rows that colour the map, and their column."""
    counts = {
        name: len(torch.unique(context.evaluated.column(name)))
        for name in context.modalities
        if context.column(name).is_categorical
    }
    few = [name for name, count in counts.items() if 2 <= count <= _MOST_COLOURS]
    column = context.target if context.target in counts else max(few, key=counts.__getitem__, default=None)
    if column is None:
        return [], ""
    cells = context.modalities[column].to_cells(context.evaluated.x[column])
    present = context.evaluated.mask(column)
    return [str(cell) if known else "" for cell, known in zip(cells, present, strict=True)], column
