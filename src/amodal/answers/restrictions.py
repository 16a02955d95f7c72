"""Restrictions of one column by conditions, given the cells of others."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray

from amodal.answers.expressions import (
    Clause,
    Rows,
    choices,
    comparable_literals,
    compared_sides,
    evaluate_number,
    is_literal,
    tolerance,
)
from amodal.answers.intervals import Floats, allowed_intervals
from amodal.modalities import Modality

Mask = NDArray[np.bool_]
_INFINITE = 1e300


@dataclass(frozen=True)
class Restriction:
    """Conditions on a column's cells, given the cells of a row that are known.

    A condition whose other cells are all known is met exactly. Of a comparison of sums with further unknown cells,
    the column keeps the numbers for which the others have room in their ranges.

    Attributes:
        name: the column.
        modality: its modality.
        where: conditions that must be true.
        rules: conditions that must not be false.
        rows: the cells that are known.
        settled: column -> boolean (B,), where its cell is known, or stays missing.
        ranges: column -> least and greatest number.
    """

    name: str
    modality: Modality
    where: Sequence[Clause]
    rules: Sequence[Clause]
    rows: Rows
    settled: Mapping[str, Mask]
    ranges: Mapping[str, tuple[float, float]]

    def outcomes(self) -> Mask:
        """The outcomes that are allowed, (B, K), of a column of labels."""
        count = self.modality.num_outcomes or 0
        cells = self.modality.comparable(self.modality.to_cells(torch.arange(count)))
        allowed = [self._is_allowed(np.repeat(cells[k : k + 1], self.rows.size)) for k in range(count)]
        return np.stack(allowed, axis=1)

    def intervals(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """The least and greatest stored numbers of the allowed intervals, (B, P), of a column of numbers."""
        none = np.zeros(self.rows.size)
        cuts = [cut for clause in self._clauses for cut in self._cuts(clause)]
        cuts += [
            (edge, none) for bounds in self._bounds if bounds for edge in bounds if np.isfinite(edge).any()
        ]
        return allowed_intervals(self.modality, cuts, self._is_allowed, self.rows.size)

    def computed(self) -> Floats:
        """The numbers (B,) that an equality with a computed side sets, where its other cells are known; else NaN."""
        values = np.full(self.rows.size, np.nan)
        for clause in self._clauses:
            node = clause.node
            if not isinstance(node, ast.Compare) or len(node.ops) != 1 or not isinstance(node.ops[0], ast.Eq):
                continue
            line = _line(node.left, node.comparators[0], self.name, self.rows)
            is_computed = any(isinstance(side, ast.BinOp) for side in (node.left, node.comparators[0]))
            if line is not None and is_computed and self.modality.is_ordered:
                decided = self._is_decided(clause) & np.isnan(values) & (line[0] != 0)
                values = np.where(decided, _root(*line), values)
        return values

    @property
    def _clauses(self) -> tuple[Clause, ...]:
        return (*self.where, *self.rules)

    def _is_decided(self, clause: Clause) -> Mask:
        """Rows (B,) in which a condition depends on this column alone."""
        others = [self.settled[name] for name in clause.columns if name != self.name]
        return np.logical_and.reduce([np.ones(self.rows.size, bool), *others])

    def _is_allowed(self, values: NDArray) -> Mask:  # type: ignore[type-arg]
        rows = Rows(
            {**self.rows.values, self.name: values},
            {**self.rows.known, self.name: np.ones(self.rows.size, bool)},
            self.rows.size,
        )
        allowed = np.ones(self.rows.size, bool)
        for clause, bounds in zip(self._clauses, self._bounds, strict=True):
            is_true, is_false = clause.truth(rows)
            met = is_true if clause in self.where else ~is_false
            room = True if bounds is None else (values >= bounds[0]) & (values <= bounds[1])
            allowed &= np.where(self._is_decided(clause), met, room)
        return allowed

    def _cuts(self, clause: Clause) -> Iterator[tuple[Floats, Floats]]:
        """Numbers (B,) at which the truth of a condition may change, with rounding errors (B,)."""
        none = np.zeros(self.rows.size)
        for left, test, right in clause.comparisons():
            if isinstance(test, ast.In | ast.NotIn):
                if isinstance(left, ast.Name) and left.id == self.name:
                    literals = [ast.literal_eval(each) for each in choices(right) or ()]
                    bounds = comparable_literals(self.modality, literals)
                    yield from ((none + bound, none) for bound in bounds)
            elif (other := _opposite(left, right, self.name)) is not None:
                cell = (
                    comparable_literals(self.modality, [ast.literal_eval(other)])[0]
                    if is_literal(other)
                    else 0.0
                )
                root = none + (cell if is_literal(other) else evaluate_number(other, self.rows))
                error = tolerance(left, right, _with(self.rows, self.name, root))
                yield root, none if error is None else error
            elif (line := _line(left, right, self.name, self.rows)) is not None:
                root = _root(*line)
                error = tolerance(left, right, _with(self.rows, self.name, root))
                slope = np.abs(np.where(line[0] == 0, 1.0, line[0]))
                yield root, none if error is None else np.nan_to_num(error / slope, posinf=0.0)

    @cached_property
    def _bounds(self) -> list[tuple[Floats, Floats] | None]:
        """For each condition, the numbers (B,) between which unknown cells have room to meet it; None for no bounds."""
        return [self._bounds_of(clause) for clause in self._clauses]

    def _bounds_of(self, clause: Clause) -> tuple[Floats, Floats] | None:
        node = clause.node
        undecided = ~self._is_decided(clause)
        if not isinstance(node, ast.Compare) or len(node.ops) != 1 or not undecided.any():
            return None
        left, test, right = compared_sides(node)[0]
        names = [name for name in clause.columns if name != self.name]
        if not isinstance(test, ast.Lt | ast.LtE | ast.Gt | ast.GtE | ast.Eq) or not all(
            _is_linear(side) for side in (left, right)
        ):
            return None
        if not {self.name, *names} <= set(self.ranges):
            return None
        values = dict(self.rows.values) | {self.name: np.zeros(self.rows.size)}
        for name in names:
            values[name] = np.where(self.settled[name], values[name], 0.0).astype(float)
        base = Rows(values, self.rows.known, self.rows.size)
        least = greatest = _difference(left, right, base)
        for name in names:
            unit = np.where(self.settled[name], values[name], 1.0)
            weight = _difference(left, right, _with(base, name, unit)) - _difference(left, right, base)
            ends = np.stack([weight * self.ranges[name][0], weight * self.ranges[name][1]])
            least, greatest = least + ends.min(0), greatest + ends.max(0)
        slope = _difference(left, right, _with(base, self.name, np.ones(self.rows.size))) - _difference(
            left, right, base
        )
        # slope x + rest, with rest from least to greatest, may be at most, at least or equal to zero.
        upper = -least if isinstance(test, ast.Lt | ast.LtE | ast.Eq) else np.full(self.rows.size, _INFINITE)
        lower = (
            -greatest if isinstance(test, ast.Gt | ast.GtE | ast.Eq) else np.full(self.rows.size, -_INFINITE)
        )
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            ends = np.stack([lower / slope, upper / slope])
        free = (slope == 0) | ~np.isfinite(slope)
        return np.where(free, -np.inf, ends.min(0)), np.where(free, np.inf, ends.max(0))


def _with(rows: Rows, name: str, values: Floats) -> Rows:
    return Rows({**rows.values, name: values}, rows.known, rows.size)


def _opposite(left: ast.expr, right: ast.expr, name: str) -> ast.expr | None:
    """The side that a column, alone on the other one, is compared with; None for another comparison."""
    for column, other in ((left, right), (right, left)):
        if isinstance(column, ast.Name) and column.id == name and not _reads(other, name):
            return other
    return None


def _reads(node: ast.expr, name: str) -> bool:
    return any(isinstance(each, ast.Name) and each.id == name for each in ast.walk(node))


def _difference(left: ast.expr, right: ast.expr, rows: Rows) -> Floats:
    return np.asarray(evaluate_number(left, rows) - evaluate_number(right, rows), dtype=float) + np.zeros(
        rows.size
    )


def _line(left: ast.expr, right: ast.expr, name: str, rows: Rows) -> tuple[Floats, Floats] | None:
    """Slope and value at 0 of the difference of two sides as a function of a column, (B,); None if it is no line."""
    if not _is_linear(left, name) or not _is_linear(right, name):
        return None
    if not _reads(left, name) and not _reads(right, name):
        return None
    at_zero, at_one = (_difference(left, right, _with(rows, name, np.full(rows.size, x))) for x in (0.0, 1.0))
    return at_one - at_zero, at_zero


def _root(slope: Floats, at_zero: Floats) -> Floats:
    """Zeros (B,) of lines; 0 where a line has none or is not known."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.nan_to_num(-at_zero / slope, nan=0.0, posinf=0.0, neginf=0.0)


def _is_linear(node: ast.expr, name: str | None = None) -> bool:
    """True for a sum of multiples of columns, or of one column and other cells."""

    def reads(part: ast.expr) -> bool:
        return any(isinstance(each, ast.Name) and name in (None, each.id) for each in ast.walk(part))

    if isinstance(node, ast.BinOp):
        if isinstance(node.op, ast.Div) and reads(node.right):
            return False
        if isinstance(node.op, ast.Mult) and reads(node.left) and reads(node.right):
            return False
        return _is_linear(node.left, name) and _is_linear(node.right, name)
    return True
