"""Conditions on the rows that are drawn, and checks that rows can meet them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray

from amodal.answers.expressions import Clause, Rows, parse_clauses
from amodal.answers.intervals import cells_at
from amodal.answers.restrictions import Restriction
from amodal.errors import UsageError
from amodal.modalities import Modality


@dataclass(frozen=True)
class Conditions:
    """Conditions on the rows that are drawn.

    Attributes:
        where: conditions that must be true.
        rules: conditions that must not be false, in each row in which a cell that they read is drawn.
        modalities: column -> modality, of the model.
    """

    where: tuple[Clause, ...]
    rules: tuple[Clause, ...]
    modalities: Mapping[str, Modality]

    @classmethod
    def parse(cls, where: str | None, rules: Iterable[str], modalities: Mapping[str, Modality]) -> Conditions:
        """Parse conditions and check that a column's cells can meet those on it alone.

        Raises:
            UsageError: one cannot be parsed, or no cell meets it.
        """
        clauses = parse_clauses(where, modalities, "where") if where else ()
        kept = tuple(clause for rule in rules for clause in parse_clauses(rule, modalities, "rules"))
        conditions = cls(clauses, kept, modalities)
        for clause in clauses:
            for name in clause.columns:
                conditions._check_can_be_met(name, conditions.alone(name))
        return conditions

    @property
    def columns(self) -> set[str]:
        """The columns whose cells conditions read."""
        return {name for clause in (*self.where, *self.rules) for name in clause.compared}

    @property
    def is_empty(self) -> bool:
        """True where there is no condition."""
        return not self.where and not self.rules

    def check_without_holes(self) -> None:
        """Check that rows without a missing cell can meet the conditions.

        Raises:
            UsageError: one asks for a missing cell.
        """
        hidden = {name: np.zeros(1, bool) for name in self.modalities}
        for clause in self.where:
            if not clause.possible(hidden)[0]:
                raise UsageError(
                    f"where: {clause.text!r} asks for a missing cell, and no cell stays missing: "
                    "`sample` with holes=True draws rows with holes."
                )

    def alone(self, name: str) -> list[Clause]:
        """The conditions of `where` on one column alone, without those that test for missing cells."""
        return [clause for clause in self.where if clause.columns == (name,) and not clause.null_tested]

    def outcomes(self, name: str) -> NDArray[np.bool_]:
        """The outcomes (K,) of a column of labels that conditions on it alone allow."""
        return self.restriction(name).outcomes()[0]

    @cached_property
    def ranges(self) -> dict[str, tuple[float, float]]:
        """Column -> least and greatest number that conditions on it alone allow, for columns of numbers."""
        found = {}
        for name in self.columns:
            modality = self.modalities[name]
            if modality.is_ordered:
                starts, ends = self.restriction(name).intervals()
                reached = starts <= ends
                limits = [starts[reached].min(), ends[reached].max()] if reached.any() else [-np.inf, np.inf]
                least, greatest = cells_at(modality, np.clip(limits, *_STORED).astype(np.float32))
                found[name] = (float(least), float(greatest))
            elif modality.num_outcomes is not None:
                cells = modality.comparable(modality.to_cells(torch.arange(modality.num_outcomes)))
                if cells.dtype.kind == "f":
                    allowed = cells[self.outcomes(name)]
                    found[name] = (float(allowed.min()), float(allowed.max()))
        return found

    def restriction(self, name: str, size: int = 1) -> Restriction:
        """Restriction of a column by the conditions on it alone, in B rows."""
        rows = Rows({name: np.zeros(size)}, {name: np.ones(size, dtype=bool)}, size)
        return Restriction(name, self.modalities[name], self.alone(name), (), rows, {}, {})

    def _check_can_be_met(self, name: str, clauses: Sequence[Clause]) -> None:
        modality, restriction = self.modalities[name], self.restriction(name)
        known = ""
        if modality.num_outcomes is not None:
            possible = bool(restriction.outcomes().any())
        elif modality.is_ordered:
            starts, ends = restriction.intervals()
            possible = bool((starts <= ends).any())
            least, greatest = modality.to_cells(torch.tensor(_STORED))
            known = f": its cells go from {least} to {greatest}"
        else:
            possible = True
        if not possible:
            text = " and ".join(clause.text for clause in clauses)
            raise UsageError(f"where: no cell of column {name!r} meets {text!r}{known}.")


_STORED = (-6.0, 6.0)
"""Least and greatest stored number of ordered types."""
