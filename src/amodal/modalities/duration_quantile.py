"""Durations as normal quantiles of their ranks."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd

from amodal.errors import RejectColumn, examples
from amodal.modalities.cell_types import cell_type_of
from amodal.modalities.duration_form import DurationForm, find_duration_form
from amodal.modalities.missing_marks import without_marks
from amodal.modalities.rank_modality import RankModality
from amodal.modalities.rank_transform import Numbers

_FEWEST = 0.8
"""Least share of a column's cells that are durations."""
_TICKS = 1_000_000
"""Microseconds in a second."""


@dataclass(frozen=True)
class DurationQuantile(RankModality):
    """A duration in seconds as the standard normal quantile of its rank.

    Draws are multiples of the column's step; digits below microseconds are not drawn.

    Attributes:
        step: microseconds that all durations are multiples of.
        cell_type: "timedelta" or "text".
        is_pandas: cells are pandas' timedeltas, and not Python's.
        form: how texts are written.
    """

    type: ClassVar[str] = "duration"
    is_specific: ClassVar[bool] = True

    step: int = 1
    cell_type: str = "timedelta"
    is_pandas: bool = True
    form: DurationForm = field(default_factory=DurationForm)

    def __post_init__(self) -> None:
        if isinstance(self.form, dict):
            object.__setattr__(self, "form", DurationForm(**self.form))

    @classmethod
    def detect(cls, cells: pd.Series[Any], root: Path | None) -> str:
        others, marks = without_marks(cells)
        kind, form = _kind_of(others)
        known = np.isfinite(_seconds(others, form))
        if kind is None or not len(known) or known.mean() < _FEWEST:
            raise RejectColumn(f"not durations: {examples([repr(cell) for cell in others])}")
        return f"{known.sum()} of {len(known)} cells looked at are durations{marks}"

    @classmethod
    def fit(cls, cells: pd.Series[Any], root: Path | None, **options: Any) -> Self:
        kind, form = _kind_of(cells)
        seconds = _seconds(cells, form)
        finite = seconds[np.isfinite(seconds)]
        if kind is None or not len(finite):
            raise RejectColumn(f"not durations: {examples([repr(cell) for cell in cells])}")
        ticks = np.unique(np.round(finite * _TICKS).astype(np.int64))
        is_pandas = pd.api.types.is_timedelta64_dtype(cells.dtype) or isinstance(cells.dtype, pd.ArrowDtype)
        some = cells.astype(object).iloc[0]
        state = {
            "step": max(1, int(np.gcd.reduce(ticks))),
            "cell_type": kind,
            "is_pandas": is_pandas or type(some) is not datetime.timedelta,
            "form": form,
        }
        return cls(**(cls.fit_ranks(finite) | state | options))

    @property
    def summary(self) -> str:
        first, last = (str(cell) for cell in self.write(np.array([self.quantiles[0], self.quantiles[-1]])))
        return f"{first} to {last}"

    @property
    def noun(self) -> str:
        return "a duration"

    @property
    def amount_unit(self) -> str:
        return "seconds"

    def parse(self, cells: pd.Series[Any]) -> Numbers:
        return _seconds(cells, self.form)

    def round(self, values: Numbers) -> Numbers:
        return np.asarray(np.round(values * _TICKS / self.step) * self.step / _TICKS, np.float64)

    def write(self, values: Numbers) -> list[Any]:
        if self.cell_type == "text":
            return [self.form.write(value) for value in values.tolist()]
        ticks = np.round(values * _TICKS).astype(np.int64).tolist()
        if self.is_pandas:
            return [pd.Timedelta(tick, unit="us") for tick in ticks]
        return [datetime.timedelta(microseconds=tick) for tick in ticks]

    def match(self, drawn: Sequence[Any], own: pd.Series[Any]) -> Sequence[Any]:
        kind = cell_type_of(own)
        if kind == self.cell_type:
            return drawn
        if kind == "text":
            return [str(cell) for cell in drawn]
        return [pd.Timedelta(seconds=value) for value in self.parse(pd.Series(drawn, dtype=object)).tolist()]


def _kind_of(cells: pd.Series[Any]) -> tuple[str | None, DurationForm]:
    """Cell type of most cells, and the form of texts; None where they are no durations.

    Raises:
        RejectColumn: texts are no durations.
    """
    if pd.api.types.is_numeric_dtype(cells.dtype) or pd.api.types.is_datetime64_any_dtype(cells.dtype):
        return None, DurationForm()
    if isinstance(cells.dtype, pd.CategoricalDtype):
        return None, DurationForm()
    kind = cell_type_of(cells.iloc[:1_000])
    if kind == "text":
        return kind, find_duration_form(cells[[isinstance(cell, str) for cell in cells]])
    return ("timedelta" if kind == "timedelta" else None), DurationForm()


def _seconds(cells: pd.Series[Any], form: DurationForm) -> Numbers:
    """Seconds (N,) of cells of any kind, NaN where a cell is no duration."""
    if pd.api.types.is_timedelta64_dtype(cells.dtype) and not isinstance(cells.dtype, pd.ArrowDtype):
        return np.asarray(cells.dt.total_seconds(), np.float64)
    found = np.full(len(cells), np.nan)
    for place, cell in enumerate(cells):
        if isinstance(cell, str):
            found[place] = form.parse(pd.Series([cell], dtype=object))[0]
        elif isinstance(cell, (datetime.timedelta, np.timedelta64)):
            found[place] = pd.Timedelta(cell).total_seconds()
    return found
