"""Conditions on rows, written as in SQL and Python, and their truth.

An expression is parsed by Python's `ast` and never run as code.
"""

from __future__ import annotations

import ast
import io
import keyword
import operator
import re
import tokenize
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from amodal.errors import BadCells, UsageError
from amodal.modalities import Modality

__all__ = [
    "Clause",
    "Rows",
    "choices",
    "comparable_literals",
    "compared_sides",
    "evaluate_number",
    "is_literal",
    "parse_clauses",
    "tolerance",
]

_ARITHMETIC: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_ROUNDING = 1e-12
"""Relative error of sums of decimal numbers, within which they are equal."""
_BETWEEN = "_between"
_KEYWORDS = ("and", "or", "not", "in", "is", "None", "True", "False")
_PYTHON = {"null": "None", "none": "None", "true": "True", "false": "False", "=": "=="} | {
    word: word for word in ("and", "or", "not", "in", "is", "between")
}
"""A word in lower case -> Python's."""
_NULL_TESTS = (ast.Is, ast.IsNot)
_HELP = (
    "Write a condition such as price > 10 and kind in ['a', 'b'] and image is not null; "
    "a column's name that is no word goes between backticks"
)


@dataclass(frozen=True)
class Rows:
    """Cells of B rows that an expression is evaluated on.

    Attributes:
        values: column -> comparable cells (B,), see `Modality.comparable`; arbitrary where unknown.
        known: column -> boolean (B,), false where a cell is missing. A comparison with a missing cell is neither true
            nor false, as in SQL.
        size: B.
    """

    values: Mapping[str, NDArray[Any]]
    known: Mapping[str, NDArray[np.bool_]]
    size: int


@dataclass(frozen=True)
class Clause:
    """One condition of those that an expression joins by "and".

    Attributes:
        text: the condition as it is written.
        node: its parsed form.
        columns: the columns that it reads, in order of their names.
        modalities: column -> modality, of these.
    """

    text: str
    node: ast.expr
    columns: tuple[str, ...]
    modalities: Mapping[str, Modality] = field(repr=False)

    def truth(self, rows: Rows) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Rows (B,) in which the condition is true, and in which it is false; neither where a missing cell decides."""
        return _truth(self.node, rows, self.modalities)

    def possible(self, hidden: Mapping[str, NDArray[np.bool_]]) -> NDArray[np.bool_]:
        """Rows (B,) in which some cells make the condition true, where columns are hidden (B,)."""
        return _possible(self.node, hidden, self.modalities)[0]

    def comparisons(self) -> Iterator[tuple[ast.expr, ast.cmpop, ast.expr]]:
        """Each comparison of two sides within the condition, without tests for missing cells."""
        for node in ast.walk(self.node):
            if isinstance(node, ast.Compare):
                yield from (pair for pair in compared_sides(node) if not isinstance(pair[1], _NULL_TESTS))

    @property
    def compared(self) -> set[str]:
        """The columns whose cells the condition reads."""
        return {
            name for left, _, right in self.comparisons() for side in (left, right) for name in _columns(side)
        }

    @property
    def null_tested(self) -> set[str]:
        """The columns that the condition tests for missing cells."""
        return {
            _name(left)
            for node in ast.walk(self.node)
            if isinstance(node, ast.Compare)
            for left, test, _ in compared_sides(node)
            if isinstance(test, _NULL_TESTS)
        }

    @property
    def computed_column(self) -> str | None:
        """The column on one side of an equality whose other side is computed, as in total == a + b."""
        if (
            isinstance(self.node, ast.Compare)
            and len(self.node.ops) == 1
            and isinstance(self.node.ops[0], ast.Eq)
        ):
            sides = (self.node.left, self.node.comparators[0])
            for side, other in (sides, sides[::-1]):
                if isinstance(side, ast.Name) and isinstance(other, ast.BinOp):
                    return side.id
        return None

    @property
    def given_cell(self) -> tuple[str, Any] | None:
        """Column and cell of a condition COLUMN == CELL; None for another one."""
        if isinstance(self.node, ast.Compare) and len(self.node.ops) == 1:
            left, right = self.node.left, self.node.comparators[0]
            if isinstance(self.node.ops[0], ast.Eq) and isinstance(left, ast.Name) and is_literal(right):
                return _name(left), ast.literal_eval(right)
        return None


def parse_clauses(text: str, modalities: Mapping[str, Modality], argument: str) -> tuple[Clause, ...]:
    """The conditions that an expression joins by "and".

    Args:
        text: comparisons (==, !=, <, <=, >, >=, also chained), `in`, `between A and B`, `is null` and `is not null`,
            joined by `and`, `or` and `not`; sides are columns, numbers, texts in quotes and their sums, differences,
            products and quotients.
        modalities: column -> fitted modality.
        argument: of the library that the text comes from, for messages.

    Raises:
        UsageError: it cannot be parsed, names an unknown column, or compares what has no order.

    Example:
        >>> from amodal.modalities import CategoryOneHot
        >>> columns = {"kind": CategoryOneHot(labels=("a", "b", "c"), cell_type="text")}
        >>> [clause.text for clause in parse_clauses("kind in ['a', 'b'] and kind != 'b'", columns, "where")]
        ["kind in ['a', 'b']", "kind != 'b'"]
    """
    try:
        source, names = _to_python(text)
        tree = ast.parse(source.strip(), mode="eval").body
    except (SyntaxError, tokenize.TokenError, ValueError, RecursionError) as problem:
        raise UsageError(f"{argument} {text!r} is not understood. {_HELP}.") from problem
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            node.id = names.get(node.id, node.id)
    checker = _Checker(text, modalities, argument)
    checker.check(tree)
    return tuple(
        Clause(_written(part), part, _columns(part), {name: modalities[name] for name in _columns(part)})
        for part in _joined_by_and(tree)
    )


def _joined_by_and(node: ast.expr) -> Iterator[ast.expr]:
    if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.And):
        for each in node.values:
            yield from _joined_by_and(each)
    else:
        yield node


def compared_sides(node: ast.Compare) -> list[tuple[ast.expr, ast.cmpop, ast.expr]]:
    """The pairs of neighbours in a chain of comparisons."""
    return list(zip([node.left, *node.comparators], node.ops, node.comparators, strict=False))


def _columns(node: ast.AST) -> tuple[str, ...]:
    names = {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}
    return tuple(sorted(names - {_BETWEEN}))


def _name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else ""


def _written(node: ast.expr) -> str:
    text = ast.unparse(node).replace("is not None", "is not null").replace("is None", "is null")
    return re.sub(rf"in {_BETWEEN}\((.*?), (.*?)\)", r"between \1 and \2", text)


def _to_python(text: str) -> tuple[str, dict[str, str]]:
    """The expression in Python's syntax, and the columns that its placeholders stand for."""
    names: dict[str, str] = {}
    pieces = text.split("`")
    if len(pieces) % 2 == 0:
        raise ValueError("a backtick without another")
    for number in range(1, len(pieces), 2):
        names[f"_column_{number}"] = pieces[number]
        pieces[number] = f" _column_{number} "
    skipped = (tokenize.NEWLINE, tokenize.NL, tokenize.ENDMARKER, tokenize.COMMENT)
    found = tokenize.generate_tokens(io.StringIO(f"({''.join(pieces)})").readline)
    words = [_PYTHON.get(word.lower(), word) for kind, word, *_ in found if kind not in skipped]
    for number, word in enumerate(words):
        if keyword.iskeyword(word) and word not in _KEYWORDS:
            names[f"_keyword_{word}"] = word
            words[number] = f"_keyword_{word}"
    return " ".join(_call_between(words)[1:-1]).replace("< >", "!="), names


def _call_between(words: Sequence[str]) -> list[str]:
    """The words with `x between a and b` as `x in _between(a, b)`."""
    written: list[str] = []
    depth, opened = 0, list[tuple[int, bool]]()
    for word in words:
        if opened and opened[-1][0] == depth and word in ("and", "or", ")", "]", ","):
            if word == "and" and not opened[-1][1]:
                opened[-1] = (depth, True)
                written.append(",")
                continue
            written.append(")")
            opened.pop()
        depth += (word in ("(", "[")) - (word in (")", "]"))
        if word == "between":
            written += ["in", _BETWEEN, "("]
            opened.append((depth, False))
        else:
            written.append(word)
    return written


@dataclass(frozen=True)
class _Checker:
    text: str
    modalities: Mapping[str, Modality]
    argument: str

    def check(self, node: ast.expr) -> None:
        if isinstance(node, ast.BoolOp):
            for each in node.values:
                self.check(each)
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            self.check(node.operand)
        elif isinstance(node, ast.Compare):
            for left, test, right in compared_sides(node):
                self._check_comparison(left, test, right)
        else:
            raise self._problem(f"{_written(node)!r} is no comparison")

    def _check_comparison(self, left: ast.expr, test: ast.cmpop, right: ast.expr) -> None:
        if isinstance(test, _NULL_TESTS):
            if not isinstance(left, ast.Name) or not (
                isinstance(right, ast.Constant) and right.value is None
            ):
                raise self._problem("`is null` and `is not null` follow a column's name")
            self._modality(left)
            return
        if isinstance(test, ast.In | ast.NotIn):
            if isinstance(left, ast.Name) and (found := choices(right)) is not None:
                if not found:
                    raise self._problem("a list after `in` is empty")
                modality = self._modality(left)
                if modality.num_outcomes is None and not modality.is_ordered:
                    raise self._problem(f"column {left.id!r} holds texts or files: compare it by == or !=")
                if isinstance(right, ast.Call) and not self._is_number(left):
                    raise self._problem(f"column {left.id!r} has no order")
                for choice in found:
                    self._check_literal(left, choice)
                return
            raise self._problem("`in` stands between a column and a list of cells")
        for side in (left, right):
            self._check_side(side)
        if not _columns(left) and not _columns(right):
            raise self._problem(
                f"{_written(left)!r} is compared with {_written(right)!r}, and neither is a column"
            )
        for column, other in ((left, right), (right, left)):
            if isinstance(column, ast.Name) and is_literal(other):
                self._check_literal(column, other, is_equality=isinstance(test, ast.Eq | ast.NotEq))
                return
        is_number = [self._is_number(side) for side in (left, right)]
        if is_number[0] != is_number[1]:
            raise self._problem(f"{_written(left)!r} and {_written(right)!r} are of different types")
        if not is_number[0] and not isinstance(test, ast.Eq | ast.NotEq):
            raise self._problem(f"{_written(left)!r} has no order: compare it by == or !=")

    def _check_side(self, node: ast.expr) -> None:
        if isinstance(node, ast.Name):
            self._modality(node)
        elif isinstance(node, ast.BinOp) and type(node.op) in _ARITHMETIC:
            for side in (node.left, node.right):
                self._check_side(side)
                if not self._is_number(side):
                    raise self._problem(f"{_written(side)!r} is no number")
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) and not is_literal(node):
            self._check_side(node.operand)
        elif not is_literal(node):
            raise self._problem(f"{_written(node)!r} is not understood")

    def _modality(self, node: ast.Name) -> Modality:
        if node.id not in self.modalities:
            raise UsageError(
                f"{self.argument} {self.text!r}: there is no column {node.id!r}. "
                f"Choose from {', '.join(self.modalities)}; texts go between quotes."
            )
        return self.modalities[node.id]

    def _is_number(self, node: ast.expr) -> bool:
        if isinstance(node, ast.Name):
            modality = self._modality(node)
            return modality.is_ordered or _counts_numbers(modality)
        return isinstance(node, ast.BinOp | ast.UnaryOp) or (
            isinstance(node, ast.Constant) and isinstance(node.value, int | float)
        )

    def _check_literal(self, column: ast.Name, node: ast.expr, *, is_equality: bool = True) -> None:
        """Check that a column can have a cell, or that a cell can be compared with those of a column."""
        modality, cell = self._modality(column), ast.literal_eval(node)
        if cell is None:
            raise self._problem(f"write `{column.id} is null` or `is not null`")
        if not is_equality and not self._is_number(column):
            raise self._problem(f"column {column.id!r} has no order: compare it by == or !=, or by in")
        if modality.suffix is not None:
            raise self._problem(
                f"column {column.id!r} holds files: of these is only asked whether they are null or not null"
            )
        try:
            comparable_literals(modality, [cell])
            if is_equality and not modality.is_ordered:
                modality.to_tensor(pd.Series([cell]), None)
        except BadCells as problem:
            raise self._problem(f"column {column.id!r}: {next(iter(problem.reasons.values()))}") from problem

    def _problem(self, reason: str) -> UsageError:
        return UsageError(f"{self.argument} {self.text!r}: {reason}.")


def _counts_numbers(modality: Modality) -> bool:
    """True for labels that are numbers."""
    if not modality.num_outcomes:
        return False
    return bool(modality.comparable(modality.to_cells(torch.arange(1))).dtype.kind == "f")


def is_literal(node: ast.expr) -> bool:
    """True for a number, a text, a list of them, True, False or None."""
    try:
        ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError):
        return False
    return True


def choices(node: ast.expr) -> list[ast.expr] | None:
    """The cells of a list, or the bounds of `between`; None for anything else."""
    if isinstance(node, ast.Call) and _name(node.func) == _BETWEEN and len(node.args) == 2:
        found = node.args
    elif isinstance(node, ast.List | ast.Tuple | ast.Set):
        found = node.elts
    elif isinstance(node, ast.Constant):
        found = [node]  # ('a') in Python's syntax
    else:
        return None
    return found if all(is_literal(each) for each in found) else None


Truth = tuple[NDArray[np.bool_], NDArray[np.bool_]]


def _truth(node: ast.expr, rows: Rows, modalities: Mapping[str, Modality]) -> Truth:
    if isinstance(node, ast.BoolOp):
        return _joined(node.op, [_truth(each, rows, modalities) for each in node.values])
    if isinstance(node, ast.UnaryOp):
        return _truth(node.operand, rows, modalities)[::-1]
    comparison = [_compare(each, rows, modalities) for each in compared_sides(_as_compare(node))]
    return _joined(ast.And(), comparison)


def _possible(
    node: ast.expr, hidden: Mapping[str, NDArray[np.bool_]], modalities: Mapping[str, Modality]
) -> Truth:
    """Rows in which some cells make a condition true, and rows in which some make it false."""
    if isinstance(node, ast.BoolOp):
        return _joined(node.op, [_possible(each, hidden, modalities) for each in node.values])
    if isinstance(node, ast.UnaryOp):
        return _possible(node.operand, hidden, modalities)[::-1]
    found = []
    for left, test, right in compared_sides(_as_compare(node)):
        if isinstance(test, _NULL_TESTS):
            is_null = hidden[_name(left)]
            found.append((is_null, ~is_null) if isinstance(test, ast.Is) else (~is_null, is_null))
        else:
            seen = ~np.any([hidden[name] for side in (left, right) for name in _columns(side)], axis=0)
            found.append((seen, seen))
    return _joined(ast.And(), found)


def _as_compare(node: ast.expr) -> ast.Compare:
    if not isinstance(node, ast.Compare):
        raise TypeError(f"{ast.dump(node)} is no comparison")
    return node


def _joined(by: ast.boolop, parts: Sequence[Truth]) -> Truth:
    """The truth of several conditions joined by "and" or "or" (Kleene's logic of three values)."""
    are_true, are_false = zip(*parts, strict=True)
    join, other = (
        (np.logical_and, np.logical_or) if isinstance(by, ast.And) else (np.logical_or, np.logical_and)
    )
    return join.reduce(are_true), other.reduce(are_false)


def _compare(
    sides: tuple[ast.expr, ast.cmpop, ast.expr], rows: Rows, modalities: Mapping[str, Modality]
) -> Truth:
    left, test, right = sides
    if isinstance(test, _NULL_TESTS):
        is_null = ~rows.known[_name(left)]
        return (is_null, ~is_null) if isinstance(test, ast.Is) else (~is_null, is_null)
    columns = {*_columns(left), *_columns(right)}
    known = np.logical_and.reduce([rows.known[name] for name in columns])
    if isinstance(test, ast.In | ast.NotIn):
        cells = rows.values[_name(left)]
        literals = [ast.literal_eval(each) for each in choices(right) or ()]
        bounds = comparable_literals(modalities[_name(left)], literals)
        if isinstance(right, ast.Call):
            is_true = (
                (cells >= bounds.min()) & (cells <= bounds.max())
                if bounds[0] <= bounds[1]
                else ~known & known
            )
        else:
            is_true = np.logical_or.reduce([_equal(cells, bound) for bound in bounds])
        is_true = ~is_true if isinstance(test, ast.NotIn) else is_true
        return known & is_true, known & ~is_true
    one, two = _sides(left, right, rows, modalities)
    slack = tolerance(left, right, rows)
    if isinstance(test, ast.Eq | ast.NotEq):
        is_true = _equal(one, two) if slack is None else np.abs(one - two) <= slack
        is_true = ~is_true if isinstance(test, ast.NotEq) else is_true
    else:
        gap = 0.0 if slack is None else slack
        ordered = {
            ast.Lt: lambda: one < two - gap,
            ast.LtE: lambda: one <= two + gap,
            ast.Gt: lambda: one > two + gap,
            ast.GtE: lambda: one >= two - gap,
        }
        is_true = np.broadcast_to(ordered[type(test)](), known.shape)
    return known & is_true, known & ~is_true


def _equal(one: Any, two: Any) -> NDArray[np.bool_]:
    return np.asarray(one == two, dtype=bool)


def _sides(
    left: ast.expr, right: ast.expr, rows: Rows, modalities: Mapping[str, Modality]
) -> tuple[Any, Any]:
    """Both sides (B,), a literal as the column that it is compared with has it."""
    for column, other in ((left, right), (right, left)):
        if isinstance(column, ast.Name) and is_literal(other):
            literal = comparable_literals(modalities[column.id], [ast.literal_eval(other)])[0]
            cells = rows.values[column.id]
            return (cells, literal) if column is left else (literal, cells)
    return evaluate_number(left, rows), evaluate_number(right, rows)


def comparable_literals(modality: Modality, literals: Sequence[Any]) -> NDArray[Any]:
    """Literals (N,) as values that compare with a column's cells: dates as the column writes them, or as ISO 8601.

    Raises:
        BadCells: one is no cell of the column.
    """
    return np.concatenate([_comparable_literal(modality, each) for each in literals])


def _comparable_literal(modality: Modality, literal: Any) -> NDArray[Any]:
    try:
        return modality.comparable([literal])
    except BadCells:
        if not modality.is_ordered or not isinstance(literal, str):
            raise
        try:
            date = pd.Timestamp(datetime.fromisoformat(literal))
        except ValueError:
            date = None
        if date is None:
            raise
    return modality.comparable([date])


def evaluate_number(node: ast.expr, rows: Rows, *, absolute: bool = False) -> Any:
    """A side of a comparison (B,).

    Args:
        node: its parsed form.
        rows: the rows.
        absolute: give the sum of the terms' sizes, by which rounding errors are measured.
    """
    if isinstance(node, ast.Name):
        return np.abs(rows.values[node.id]) if absolute else rows.values[node.id]
    if isinstance(node, ast.BinOp):
        left, right = (evaluate_number(side, rows, absolute=absolute) for side in (node.left, node.right))
        if absolute and isinstance(node.op, ast.Sub):
            return left + right
        with np.errstate(divide="ignore", invalid="ignore"):
            return _ARITHMETIC[type(node.op)](left, right)
    if isinstance(node, ast.UnaryOp):
        value = evaluate_number(node.operand, rows, absolute=absolute)
        return value if absolute else -value
    value = np.float64(ast.literal_eval(node))
    return abs(value) if absolute else value


def tolerance(left: ast.expr, right: ast.expr, rows: Rows) -> NDArray[np.float64] | None:
    """Rounding error (B,) within which sides that are computed are equal; None where neither is."""
    if not any(isinstance(each, ast.BinOp) for side in (left, right) for each in ast.walk(side)):
        return None
    sizes = [evaluate_number(side, rows, absolute=True) for side in (left, right)]
    return np.asarray(_ROUNDING * (sizes[0] + sizes[1]))
