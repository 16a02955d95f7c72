"""Completion of tables under conditions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
import torch

from amodal.answers.conditional_draws import Cells, Mask, draw_under_conditions
from amodal.answers.conditions import Conditions
from amodal.batch import Batch
from amodal.errors import DataError, examples
from amodal.inference import encode_table
from amodal.models import GenerativeModel
from amodal.table import BadCellPolicy, Table, row_number


@dataclass(frozen=True)
class Task:
    """A table, and which of its cells to draw given which others.

    Attributes:
        table: N rows.
        batch: the same rows as tensors.
        drawn: column -> boolean (N,), cells to draw.
        given: columns whose other cells are conditioned on.
        missing: column -> boolean (N,), cells that stay missing.
    """

    table: Table
    batch: Batch
    drawn: Mapping[str, Mask]
    given: Sequence[str]
    missing: Mapping[str, Mask] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        model: GenerativeModel,
        table: Table,
        *,
        columns: Sequence[str] | None = None,
        given: Sequence[str] | None = None,
        missing: Mapping[str, Mask] | None = None,
        bad_cells: BadCellPolicy = "error",
    ) -> Task:
        """The task of `TableModel.complete` with these arguments.

        Raises:
            DataError: cells cannot be read.
        """
        batch = encode_table(model, table, bad_cells)
        drawn = {}
        for name in model.modalities:
            is_chosen = columns is None or name in columns
            present = batch.mask(name).numpy()
            mask = np.full(len(batch), is_chosen) & (~present | (columns is not None))
            drawn[name] = mask & ~missing[name] if missing and name in missing else mask
        sources = (
            [name for name in model.modalities if name not in (columns or ())] if given is None else given
        )
        return cls(table, batch, drawn, list(sources), missing or {})

    @property
    def present(self) -> Batch:
        """The rows with the cells that are conditioned on."""
        drawn = torch.from_numpy(np.stack([self.drawn[name] for name in self.batch.columns], axis=1))
        return replace(self.batch, present=self.batch.present & ~drawn).given(self.given)

    def fill(self, model: GenerativeModel, cells: Mapping[str, Cells]) -> Task:
        """The task that is left when cells of some columns, object (N,), are set where they were to be drawn."""
        frame = self.table.frame.copy()
        for name, values in cells.items():
            before = frame[name].to_numpy(dtype=object) if name in frame else np.full(len(frame), None)
            if self.drawn[name].any() or name not in frame:
                made = np.where(self.drawn[name], values, before)
                frame[name] = pd.Series(made, index=frame.index, dtype=object)
        table = replace(self.table, frame=frame)
        none = np.zeros(len(frame), bool)
        return Task(
            table,
            encode_table(model, table, "missing"),
            {name: none if name in cells else mask for name, mask in self.drawn.items()},
            [*self.given, *(name for name in cells if name not in self.given)],
            self.missing,
        )


def fill_conditions(
    model: GenerativeModel, task: Task, conditions: Conditions, *, seed: int
) -> tuple[Task, int]:
    """Draw the cells of a task that conditions read, so that they are met.

    Returns:
        The task that is left, and the most draws that a row took.

    Raises:
        DataError: no draw of some rows meets the conditions.
    """
    # A cell that is equal to a literal is given, of any type.
    for name, cell in (clause.given_cell for clause in conditions.where if clause.given_cell):
        if task.drawn[name].any():
            task = task.fill(model, {name: _repeat(cell, len(task.table))})
    absent = {
        name: ~task.drawn[name] & (~task.batch.mask(name).numpy() | task.missing.get(name, False))
        for name in model.modalities
    }
    given = {}
    for name in sorted(conditions.columns):
        has_column = name in task.table.columns
        given[name] = (
            task.table.frame[name].to_numpy(dtype=object) if has_column else _repeat(None, len(task.table))
        )
    found = draw_under_conditions(
        model,
        task.present,
        given,
        {name: task.drawn[name] for name in given},
        absent,
        conditions,
        seed=seed,
    )
    if not found.is_met.all():
        rows = [row_number(int(row)) for row in np.flatnonzero(~found.is_met)]
        texts = " and ".join(clause.text for clause in (*conditions.where, *conditions.rules))
        raise DataError(
            f"{task.table.source}: no draw meets {texts!r} in {len(rows)} of {len(found.is_met)} rows "
            f"({examples(rows)}): their given cells, or the conditions together, leave no cell that the model draws."
        )
    return task.fill(model, found.cells), int(found.tries.max())


def _repeat(cell: Any, rows: int) -> Cells:
    cells = np.empty(rows, dtype=object)
    cells[:] = [cell] * rows
    return cells
