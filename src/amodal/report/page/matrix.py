"""The any-to-any matrix: each column drawn from each other one alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from amodal.report.results import PairScore


@dataclass(frozen=True)
class Matrix:
    """Pairs by their columns.

    Attributes:
        columns: of both sides, in the table's order.
        rows: of each given column, its pair with each target; None where there is none.
        telling: how many pairs tell anything.
    """

    columns: list[str]
    rows: list[list[PairScore | None]]
    telling: int


def matrix(pairs: Sequence[PairScore], order: Sequence[str]) -> Matrix | None:
    """The pairs as a square; None where there are none.

    Args:
        pairs: in any order.
        order: the columns' order in the table.
    """
    found = {(pair.given, pair.target): pair for pair in pairs}
    columns = [name for name in order if any(name in pair for pair in found)]
    if not columns:
        return None
    rows = [[found.get((given, target)) for target in columns] for given in columns]
    return Matrix(columns, rows, sum(pair.is_informative for pair in pairs))
