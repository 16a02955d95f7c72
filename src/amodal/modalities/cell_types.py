"""Python types of cells, by name, and their texts."""

from __future__ import annotations

import ast
import datetime
import enum
import re
import sys
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from pathlib import PurePath
from typing import Any

import numpy as np
import pandas as pd

_INTERVAL = re.compile(r"([\[(])(.+), (.+)([\])])")


@dataclass(frozen=True)
class CellType:
    """A Python type of cells.

    Attributes:
        name: as it is kept in a model.
        types: the types; a cell of one is of this cell type.
        parse: turns what `str` makes of a cell to the cell.
    """

    name: str
    types: tuple[type, ...]
    parse: Callable[[str], Any]


def _interval(text: str) -> pd.Interval[Any]:
    match = _INTERVAL.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is no interval")
    opening, left, right, closing = match.groups()
    closed: Any = {"[]": "both", "[)": "left", "(]": "right", "()": "neither"}[opening + closing]
    return pd.Interval(_bound(left), _bound(right), closed=closed)


def _bound(text: str) -> Any:
    for parse in (int, float, pd.Timestamp, pd.Timedelta):
        try:
            return parse(text)
        except ValueError:
            continue
    raise ValueError(f"{text!r} is no bound of an interval")


CELL_TYPES: tuple[CellType, ...] = (
    CellType("boolean", (bool, np.bool_), lambda text: text.lower() == "true"),
    CellType("timestamp", (pd.Timestamp, np.datetime64), pd.Timestamp),
    CellType("datetime", (datetime.datetime,), datetime.datetime.fromisoformat),
    CellType("date", (datetime.date,), datetime.date.fromisoformat),
    CellType("time", (datetime.time,), datetime.time.fromisoformat),
    CellType("timedelta", (datetime.timedelta, np.timedelta64), pd.Timedelta),
    CellType("integer", (int, np.integer), int),
    CellType("number", (float, np.floating), float),
    CellType("decimal", (Decimal,), Decimal),
    CellType("fraction", (Fraction,), Fraction),
    CellType("bytes", (bytes,), ast.literal_eval),
    CellType("uuid", (uuid.UUID,), uuid.UUID),
    CellType("path", (PurePath,), PurePath),
    CellType("interval", (pd.Interval,), _interval),
    CellType("text", (str,), str),
)
"""In the order in which a cell is compared with them: a datetime is a date too, a boolean an integer."""
_BY_NAME = {each.name: each for each in CELL_TYPES}


def cell_type_of(cells: Iterable[Any]) -> str:
    """Name of the type of most cells; "period[M]" and "enum[module:Class]" have their frequency and class.

    Example:
        >>> cell_type_of([3, 4]), cell_type_of(["a"]), cell_type_of([Decimal("0.5")])
        ('integer', 'text', 'decimal')
    """
    types: dict[type, int] = {}
    some: dict[type, Any] = {}
    for cell in cells:
        types[type(cell)] = types.get(type(cell), 0) + 1
        some.setdefault(type(cell), cell)
    if not types:
        return "text"
    cell = some[max(types, key=lambda each: types[each])]
    if isinstance(cell, enum.Enum):
        return f"enum[{type(cell).__module__}:{type(cell).__qualname__}]"
    if isinstance(cell, pd.Period):
        return f"period[{cell.freqstr}]"
    return next((each.name for each in CELL_TYPES if isinstance(cell, each.types)), "other")


def parse_cell(name: str, text: str) -> Any:
    """The cell of a type by its text; the text itself where it is no such cell.

    The class of an enumeration is found only where its module is imported already.
    """
    kind, _, detail = name.rstrip("]").partition("[")
    try:
        if kind == "enum":
            return _enum_member(detail, text)
        if kind == "period":
            return pd.Period(text, freq=detail)
        return _BY_NAME[kind].parse(text)
    except (ValueError, ArithmeticError, KeyError, AttributeError, SyntaxError):
        return text


def _enum_member(place: str, text: str) -> Any:
    module, _, qualified = place.partition(":")
    found: Any = sys.modules[module]
    for part in qualified.split("."):
        found = getattr(found, part)
    members: list[Any] = list(found) if isinstance(found, enum.EnumMeta) else []
    return next((each for each in members if text in (str(each), repr(each))), text)
