"""Completion of a table under conditions, in place of a model's own `complete`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from torch import Tensor

from amodal.answers.best import best_cells, complete_best, with_cells
from amodal.answers.conditional_draws import Cells, Mask, draw_under_conditions
from amodal.answers.conditions import Conditions
from amodal.batch import Batch
from amodal.distributions import RowNoise
from amodal.errors import DataError, examples
from amodal.models import GenerativeModel
from amodal.table import Table, row_number


@dataclass
class ConditionalCompletion:
    """Completes rows of a table so that conditions are met, called as `GenerativeModel.complete` with the model first.

    Attributes:
        table: N rows.
        present: column -> boolean (N,), cells that the table has.
        drawn: column -> boolean (N,), cells to draw.
        conditions: the conditions.
        missing: column -> boolean (N,), cells that stay missing.
        best: choose the best cells instead of drawing; see `complete_best`.
        tries: most draws that a row took.
        exact: column -> (row, draw) -> cell that a condition sets, and that a tensor may not give back.
    """

    table: Table
    present: Mapping[str, Mask]
    drawn: Mapping[str, Mask]
    conditions: Conditions
    missing: Mapping[str, Mask] = field(default_factory=dict)
    best: bool = False
    tries: int = 1
    exact: dict[str, dict[tuple[int, int], Any]] = field(default_factory=dict)

    def __call__(
        self, model: GenerativeModel, batch: Batch, targets: Iterable[str], noise: RowNoise, **options: Any
    ) -> dict[str, Tensor]:
        """Complete rows of the table; see `GenerativeModel.complete`.

        Raises:
            DataError: no draw of some rows meets the conditions.
        """
        rows, names, evidence = batch.rows.cpu().numpy(), list(targets), batch
        drawn = {name: mask[rows] for name, mask in self.drawn.items()}
        found = self._set_equal(batch, drawn, noise)
        batch = with_cells(batch, found, drawn)
        is_open = {name: mask & (name not in found) for name, mask in drawn.items()}
        found |= self._draw(model, batch, is_open, noise)
        batch = with_cells(batch, found, drawn)
        rest = [name for name in names if name not in found]
        if self.best:
            others = complete_best(model, batch, rest, noise, evidence=evidence, **options)
        else:
            others = model.complete(batch, rest, noise, **options)
        return {name: others[name] if name in others else found[name] for name in names}

    def exact_cells(self, name: str, rows: NDArray[np.int64], draw: int, cells: list[Any]) -> list[Any]:
        """Cells of a column in rows of the table, with those that conditions set; see `complete_cells`."""
        known = self.exact.get(name, {})
        return [known.get((row, draw), cell) for row, cell in zip(rows.tolist(), cells, strict=True)]

    def _set_equal(self, batch: Batch, drawn: Mapping[str, Mask], noise: RowNoise) -> dict[str, Tensor]:
        """Scaled cells of columns that a condition sets equal to a literal, which are given then."""
        found = {}
        for name, cell in (clause.given_cell for clause in self.conditions.where if clause.given_cell):
            if not drawn[name].any():
                continue
            modality = self.conditions.modalities[name]
            cells = modality.scale(modality.to_tensor(pd.Series([cell]), None)).to(batch.present.device)
            found[name] = cells.expand(len(batch), *cells.shape[1:])
            exact = np.full(len(batch), None, dtype=object)
            exact[drawn[name]] = cell
            self._keep_exact(name, exact, batch, noise)
        return found

    def _draw(
        self, model: GenerativeModel, batch: Batch, drawn: Mapping[str, Mask], noise: RowNoise
    ) -> dict[str, Tensor]:
        """Scaled cells of the columns that conditions read."""
        rows = batch.rows.cpu().numpy()
        names = sorted(self.conditions.columns)
        if not any(drawn[name].any() for name in names) and not self.conditions.where:
            return {}
        given = {name: self._given(name, rows, noise.draw_number) for name in names}
        absent = {
            name: ~drawn[name]
            & np.array([pd.isna(cell) if np.ndim(cell) == 0 else False for cell in given[name]])
            if name in given
            else self._is_missing(name, rows)
            for name in model.modalities
        }
        cells = draw_under_conditions(
            model,
            batch,
            given,
            {name: drawn[name] for name in names},
            absent,
            self.conditions,
            noise,
            first=best_cells if self.best else None,
        )
        self._check_met(rows[~cells.is_met])
        self.tries = max(self.tries, int(cells.tries.max()))
        for name, exact in cells.exact.items():
            self._keep_exact(name, exact, batch, noise)
        return dict(cells.scaled)

    def _is_missing(self, name: str, rows: Any) -> Mask:
        missing = ~self.present[name] & ~self.drawn[name]
        return np.asarray(missing | self.missing.get(name, False))[rows]

    def _given(self, name: str, rows: Any, draw: int) -> Cells:
        """Cells of rows that are present, or that a condition sets; None elsewhere."""
        cells = np.full(len(self.table), None, dtype=object)
        kept = self.present[name] & ~self.drawn[name]
        if kept.any():
            cells[kept] = self.table.frame[name].to_numpy(dtype=object)[kept]
        for (row, number), cell in self.exact.get(name, {}).items():
            if number == draw:
                cells[row] = cell
        return cells[rows]

    def _keep_exact(self, name: str, cells: Cells, batch: Batch, noise: RowNoise) -> None:
        rows = batch.rows.tolist()
        for place in np.flatnonzero([cell is not None for cell in cells]):
            self.exact.setdefault(name, {})[rows[place], noise.draw_number] = cells[place]

    def _check_met(self, rows: Any) -> None:
        if len(rows):
            texts = " and ".join(clause.text for clause in (*self.conditions.where, *self.conditions.rules))
            numbers = examples([row_number(int(row)) for row in rows])
            raise DataError(
                f"{self.table.source}: no draw of row {numbers} meets {texts!r}: its given cells, or the conditions "
                "together, leave no cell that the model draws."
            )


def drawn_cells(batch: Batch, columns: Iterable[str] | None, missing: Mapping[str, Mask]) -> dict[str, Mask]:
    """Column -> boolean (N,), the cells that completion draws: the absent ones, or all of the columns.

    Args:
        batch: N rows.
        columns: to draw; None for the absent cells of all.
        missing: column -> boolean (N,), cells that stay missing.
    """
    chosen = None if columns is None else set(columns)
    found = {}
    for name in batch.columns:
        mask = ~batch.mask(name).cpu().numpy() if chosen is None else np.full(len(batch), name in chosen)
        found[name] = mask & ~missing.get(name, np.zeros(len(batch), bool))
    return found


def present_cells(batch: Batch) -> dict[str, Mask]:
    """Column -> boolean (N,), the cells that rows have."""
    return {name: batch.mask(name).cpu().numpy() for name in batch.columns}
