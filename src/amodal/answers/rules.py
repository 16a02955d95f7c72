"""Rules that the rows of a table keep."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from amodal.answers.expressions import Clause, Rows, parse_clauses
from amodal.errors import BadCells, DataError, shorten
from amodal.modalities import Modality
from amodal.table import Table, row_number

_EXAMPLES = 3
_CELL_LENGTH = 30


def check_rules(rules: Iterable[str], table: Table, modalities: Mapping[str, Modality]) -> None:
    """Check that all rows of a table keep rules, where no cell that a rule reads is missing.

    Raises:
        UsageError: a rule cannot be parsed, or names an unknown column.
        DataError: rows break a rule; the message shows three of them.
    """
    for text in rules:
        for clause in parse_clauses(text, modalities, "rules"):
            broken = np.flatnonzero(clause.truth(_rows(clause, table))[1])
            if len(broken):
                raise DataError(_message(clause, table, broken.tolist()))


def _rows(clause: Clause, table: Table) -> Rows:
    values, known = {}, {}
    for name, modality in clause.modalities.items():
        cells = table.frame[name]
        present = cells.notna().to_numpy(copy=True)
        while True:
            try:
                found = modality.comparable(list(cells[present]))
                break
            except BadCells as problem:
                # Cells that cannot be read are told of elsewhere.
                present[np.flatnonzero(present)[list(problem.reasons)]] = False
        values[name] = np.zeros(len(cells)) if found.dtype.kind == "f" else np.full(len(cells), None)
        values[name][present] = found
        known[name] = present
    return Rows(values, known, len(table))


def _message(clause: Clause, table: Table, broken: list[int]) -> str:
    first = [
        f"row {row_number(row)} has "
        + ", ".join(f"{name}={_written(table.frame[name].iloc[row])}" for name in clause.columns)
        for row in broken[:_EXAMPLES]
    ]
    return (
        f"{table.source}: {len(broken)} of {len(table)} rows break the rule {clause.text!r}: {'; '.join(first)}. "
        "Correct or remove them, or leave the rule out."
    )


def _written(cell: object) -> str:
    return "missing" if pd.isna(cell) else shorten(str(cell), _CELL_LENGTH)  # type: ignore[call-overload]
