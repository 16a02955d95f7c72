"""Numbers as normal quantiles of their ranks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd

from amodal.errors import RejectColumn, examples
from amodal.modalities.cell_types import cell_type_of
from amodal.modalities.missing_marks import without_marks
from amodal.modalities.number_form import NumberForm, find_form, plain_numbers, reject_codes
from amodal.modalities.rank_modality import RankModality
from amodal.modalities.rank_transform import Numbers

_MAX_CODES = 20
"""Most distinct whole numbers that are taken for codes of categories."""
_FEWEST = 0.8
"""Least share of a column's cells that are numbers."""
_MAX_DIGITS = 15
"""Decimal digits that any float64 keeps."""
_MAX_DECIMALS = 40
_ROUNDING = 4 * np.finfo(np.float64).eps
_MOST_FOR_DIGITS = 100_000
_LEAST_SPIKE_REST = 5
_MAX_INTEGER = 2**63 - 1
_CODES = (-1.0, -9.0, -99.0, -999.0, -9999.0, -99999.0, 99.0, 999.0, 9999.0, 99999.0, 999999.0)
"""Numbers that often stand for a missing one."""
_LEAST_CODES = 0.005


@dataclass(frozen=True)
class NumberQuantile(RankModality):
    """A number as the standard normal quantile of its rank, written as the column's numbers are.

    Attributes:
        decimals: the column's digits after the point, to which draws are rounded; None where they are floats of all
            digits.
        significant: most digits of a number that is not 0, where they are few and `decimals` are many; else None.
        cell_type: what cells are: "number", "decimal" or "text".
        form: how texts are written.
    """

    type: ClassVar[str] = "number"

    decimals: int | None = None
    significant: int | None = None
    cell_type: str = "number"
    form: NumberForm = field(default_factory=NumberForm)

    def __post_init__(self) -> None:
        if isinstance(self.form, dict):
            object.__setattr__(self, "form", NumberForm(**self.form))

    @classmethod
    def detect(cls, cells: pd.Series[Any], root: Path | None) -> str:
        if pd.api.types.is_bool_dtype(cells.dtype):
            raise RejectColumn("true or false is no number")
        others, marks = without_marks(cells)
        if others.empty:
            raise RejectColumn("no cell is a number")
        form = _form_of(others)
        reject_codes(others)
        values = form.parse(others)
        wrong = np.flatnonzero(np.isnan(values))
        # A few bad cells do not make a column of numbers a text: they are reported when they are read.
        if len(wrong) > (1 - _FEWEST) * len(values):
            raise RejectColumn(f"not numbers: {examples([repr(others.iloc[i]) for i in wrong])}")
        finite = values[np.isfinite(values)]
        if form.is_plain and _are_codes(finite):
            raise RejectColumn(f"only {len(np.unique(finite))} distinct whole numbers, which name categories")
        return f"{len(values) - len(wrong)} of {len(values)} cells looked at are numbers{marks}{_likely_codes(finite)}"

    @classmethod
    def fit(cls, cells: pd.Series[Any], root: Path | None, **options: Any) -> Self:
        is_object = pd.api.types.is_object_dtype(cells.dtype) or pd.api.types.is_string_dtype(cells.dtype)
        kind = cell_type_of(cells) if is_object else "number"
        form = _form_of(cells) if kind == "text" else NumberForm()
        values = form.parse(cells)
        finite = values[np.isfinite(values)]
        if len(finite) == 0:
            raise RejectColumn("no cell is a finite number")
        decimals, significant = _digits(finite)
        state = {
            "decimals": decimals,
            "significant": significant,
            "cell_type": kind if kind in ("text", "decimal") else "number",
            "form": form,
        }
        return cls(**(cls.fit_ranks(finite) | state | options))

    @property
    def summary(self) -> str:
        form = self.form.description
        return f"{self.quantiles[0]:.4g} to {self.quantiles[-1]:.4g}" + (f", {form}" if form else "")

    @property
    def noun(self) -> str:
        return "a finite number"

    def parse(self, cells: pd.Series[Any]) -> Numbers:
        return self.form.parse(cells)

    def round(self, values: Numbers) -> Numbers:
        if self.significant is not None:
            with np.errstate(divide="ignore"):
                places = self.significant - 1 - np.floor(np.log10(np.abs(values)))
            values = np.array(
                [
                    round(value, int(place)) if np.isfinite(place) else value
                    for value, place in zip(values.tolist(), places, strict=True)
                ],
                np.float64,
            )
        return values if self.decimals is None else values.round(self.decimals)

    def write(self, values: Numbers) -> list[Any]:
        if self.cell_type == "text":
            return list(self.form.write(values, self.decimals))
        if self.cell_type == "decimal":
            exact = [Decimal(repr(value)) for value in values.tolist()]
            return (
                exact
                if self.decimals is None
                else [each.quantize(Decimal(1).scaleb(-self.decimals)) for each in exact]
            )
        if self.decimals == 0:
            return [max(-_MAX_INTEGER, min(int(value), _MAX_INTEGER)) for value in values]
        return list(values.tolist())

    def parse_text(self, cells: Sequence[Any]) -> Sequence[Any]:
        return [_as_number(cell) for cell in cells] if self.form.is_plain else cells

    def match(self, drawn: Sequence[Any], own: pd.Series[Any]) -> Sequence[Any]:
        kind = cell_type_of(own)
        if kind == "text":
            return [cell if isinstance(cell, str) else str(cell) for cell in drawn]
        if self.cell_type == "text":
            values = self.parse(pd.Series(drawn, dtype=object))
            is_whole = kind == "integer" and bool((values % 1 == 0).all())
            drawn = [int(value) for value in values] if is_whole else values.tolist()
        return [Decimal(str(cell)) for cell in drawn] if kind == "decimal" else drawn


def _form_of(cells: pd.Series[Any]) -> NumberForm:
    """The form of a column's texts; plain for other cells."""
    if pd.api.types.is_numeric_dtype(cells.dtype):
        return NumberForm()
    texts = cells[[isinstance(cell, str) for cell in cells]]
    if 2 * len(texts) <= len(cells):
        return NumberForm()
    return find_form(texts)


def _as_number(cell: Any) -> Any:
    """A text as the whole number or the float that it writes; a cell that is none as it is."""
    if not isinstance(cell, str):
        return cell
    value = float(plain_numbers(pd.Series([cell], dtype=object))[0])
    if math.isnan(value):
        return cell
    return int(cell) if cell.strip().lstrip("+-").isdigit() else value


def _are_codes(values: Numbers) -> bool:
    """True for few distinct whole numbers that are repeated; a spike beside scattered numbers is none."""
    distinct, counts = np.unique(values, return_counts=True)
    if (
        len(distinct) > _MAX_CODES
        or (distinct != np.round(distinct)).any()
        or len(distinct) >= 0.5 * len(values)
    ):
        return False
    rest = len(values) - counts.max()
    return not (rest >= _LEAST_SPIKE_REST and len(distinct) - 1 > 0.5 * rest)


def _likely_codes(values: Numbers) -> str:
    """A clause about numbers that may stand for missing ones; empty where there are none."""
    distinct, counts = np.unique(values, return_counts=True)
    found = []
    for code in _CODES:
        place = np.searchsorted(distinct, code)
        if (
            place == len(distinct)
            or distinct[place] != code
            or counts[place] < max(2, _LEAST_CODES * len(values))
        ):
            continue
        others = np.delete(distinct, place)
        if len(others) < 2:
            continue
        is_alone = others.min() >= 0 if code < 0 else others.max() < code / 2
        if is_alone:
            found.append(f"{code:.0f} ({counts[place]} cells)")
    if not found:
        return ""
    option = "missing={COLUMN: [CODE]} (--missing COLUMN=CODE) says so"
    return f"; {' and '.join(found)} may stand for missing: {option}"


def _digits(values: Numbers) -> tuple[int | None, int | None]:
    """Digits after the point of the values, None for floats of all digits; and few significant ones, or None."""
    if len(values) > _MOST_FOR_DIGITS:
        values = values[np.random.default_rng(0).permutation(len(values))[:_MOST_FOR_DIGITS]]
    magnitude = np.abs(values)
    largest = magnitude.max()
    if largest == 0:
        return 0, None
    digits_before = math.floor(math.log10(largest)) + 1
    for decimals in range(_MAX_DECIMALS):
        with np.errstate(over="ignore", invalid="ignore"):
            rounded = values.round(decimals)
        if (np.abs(values - rounded) <= _ROUNDING * magnitude).all():
            if digits_before > _MAX_DIGITS and decimals == 0:
                return 0, None
            significant = _significant(magnitude[magnitude > 0]) if decimals > _MAX_DIGITS // 2 else None
            if significant is not None:
                return decimals, significant
            return (decimals if decimals + digits_before <= _MAX_DIGITS else None), None
        if decimals + digits_before > _MAX_DIGITS and _significant(magnitude[magnitude > 0]) is None:
            return None, None
    significant = _significant(magnitude[magnitude > 0])
    return None, significant


def _significant(magnitude: Numbers, limit: int = 8) -> int | None:
    """Most significant digits of numbers above 0, None where they are more than `limit`."""
    for digits in range(1, limit + 1):
        if all(float(f"{value:.{digits - 1}e}") == value for value in magnitude.tolist()):
            return digits
    return None
