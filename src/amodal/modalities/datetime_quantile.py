"""Dates and times as normal quantiles of their ranks."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from amodal.errors import RejectColumn, examples
from amodal.modalities.calendar_grid import Grid
from amodal.modalities.cell_types import cell_type_of, parse_cell
from amodal.modalities.date_form import DateForm, find_date_form, likely_dates, microseconds
from amodal.modalities.missing_marks import without_marks
from amodal.modalities.rank_modality import RankModality
from amodal.modalities.rank_transform import Numbers
from amodal.nn import CalendarEncoder

_FEWEST = 0.8
"""Least share of a column's cells that are dates."""
_DAY = 86_400_000_000
_HOUR = 3_600_000_000
_YEAR_DAYS = 365.2425
_TYPES = ("timestamp", "datetime", "date", "time")


@dataclass(frozen=True)
class DatetimeQuantile(RankModality):
    """A date or time as the standard normal quantile of its rank; encoders read month, weekday and hour too.

    Draws are on the grid of the column's times: days, the first of each month, 15 minutes. Times with a zone are wall
    times of the zone. Digits below microseconds are not drawn.

    Attributes:
        cell_type: what cells are: "timestamp", "datetime", "date", "time", "period[...]", "text", or "integer" for
            20230105.
        zone: name of the time zone; empty for none.
        grid: the times that there are.
        form: how texts are written.
    """

    type: ClassVar[str] = "datetime"
    is_specific: ClassVar[bool] = True

    cell_type: str = "timestamp"
    zone: str = ""
    grid: Grid = field(default_factory=Grid)
    form: DateForm = field(default_factory=DateForm)

    def __post_init__(self) -> None:
        if isinstance(self.grid, dict):
            object.__setattr__(self, "grid", Grid(**self.grid))
        if isinstance(self.form, dict):
            object.__setattr__(self, "form", DateForm(**self.form))

    @classmethod
    def detect(cls, cells: pd.Series[Any], root: Path | None) -> str:
        others, marks = without_marks(cells)
        if others.empty:
            raise RejectColumn("no cell is a date")
        kind, form = _kind_of(others)
        if kind is None:
            raise RejectColumn(f"not dates: {examples([repr(cell) for cell in others])}")
        known = _wall_times(others, "", form).notna()
        if known.mean() < _FEWEST:
            raise RejectColumn(f"not dates: {examples([repr(cell) for cell in others[~known]])}")
        written = f" written as {form.pattern}" if kind in ("text", "integer") else ""
        noun = "times" if kind == "time" or (written and form.is_time) else "dates"
        return f"{known.sum()} of {len(known)} cells looked at are {noun}{written}{marks}"

    @classmethod
    def fit(cls, cells: pd.Series[Any], root: Path | None, **options: Any) -> Self:
        kind, form = _kind_of(cells)
        if kind is None:
            raise RejectColumn(f"not dates: {examples([repr(cell) for cell in cells])}")
        zone = _zone_of(cells)
        times, known = microseconds(_wall_times(cells, zone, form))
        if not known.any():
            raise RejectColumn("no cell is a date")
        grid = Grid.fit(times[known])
        state = {"cell_type": kind, "zone": zone, "grid": grid, "form": form}
        return cls(**(cls.fit_ranks(grid.numbers(times[known])) | state | options))

    @property
    def summary(self) -> str:
        first, last = (str(cell) for cell in self.write(np.array([self.quantiles[0], self.quantiles[-1]])))
        return f"{first} to {last}, {self.grid.description}"

    @property
    def noun(self) -> str:
        name = "time" if self._is_time else "date"
        return f"a {name} ({self.form.pattern})" if self.cell_type in ("text", "integer") else f"a {name}"

    @property
    def amount_unit(self) -> str:
        return self.grid.unit

    @property
    def days_per_step(self) -> float:
        """Days of an amount of 1; 1 where months or working days are counted."""
        return self.grid.step / _DAY if self.grid.kind == "time" else float(self.grid.step)

    @property
    def _is_time(self) -> bool:
        return self.cell_type == "time" or (self.cell_type == "text" and self.form.is_time)

    def parse(self, cells: pd.Series[Any]) -> Numbers:
        times, known = microseconds(_wall_times(cells, self.zone, self.form))
        numbers = np.full(len(cells), np.nan)
        if known.any():
            numbers[known] = self.grid.numbers(times[known])
        return numbers

    def comparable(self, cells: Sequence[Any] | pd.Series[Any]) -> Numbers:
        """Seconds of wall time since 1970, or since midnight."""
        return self.grid.times(self.finite_amounts(cells)) / 1e6

    def round(self, values: Numbers) -> Numbers:
        return np.round(values)

    def write(self, values: Numbers) -> list[Any]:
        stamps = pd.DatetimeIndex(self.grid.times(values).astype("datetime64[us]"))
        if self.cell_type == "text":
            return list(self.form.write(stamps))
        if self.cell_type == "integer":
            return [int(text) for text in self.form.write(stamps)]
        if self.cell_type == "time":
            return [stamp.time() for stamp in stamps]
        if self.cell_type == "date":
            return [stamp.date() for stamp in stamps]
        if self.cell_type.startswith("period"):
            frequency = self.cell_type.removeprefix("period[").removesuffix("]")
            return list(stamps.to_period(frequency))
        if self.zone:
            stamps = stamps.tz_localize(
                self.zone, ambiguous=np.zeros(len(stamps), bool), nonexistent="shift_forward"
            )
        if self.cell_type == "datetime":
            return [stamp.to_pydatetime() for stamp in stamps]
        return list(stamps)

    def match(self, drawn: Sequence[Any], own: pd.Series[Any]) -> Sequence[Any]:
        kind = cell_type_of(own)
        if kind == self.cell_type or not drawn:
            return drawn
        if kind == "text":
            return [str(cell) for cell in drawn]
        stamps = _wall_times(pd.Series(drawn, dtype=object), self.zone, self.form)
        return [parse_cell(kind, str(stamp.date() if kind == "date" else stamp)) for stamp in stamps]

    def encoder(self, features: int) -> nn.Module:
        sizes = (24,) if self._is_time else (12, 7, 24)
        return CalendarEncoder(self._knots(), features, sizes, self.calendar)

    def calendar(self, tensor: Tensor) -> Tensor:
        """Month from 0, weekday from Monday, and hour of scaled cells (B,), int64 (B, 3); the hour alone of times."""
        return torch.from_numpy(self._calendar(tensor)[0]).to(tensor.device)

    def _calendar(self, tensor: Tensor) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        """The numbers of `calendar`, and shares (B, 2) of the year and the day that are over."""
        times = self.grid.times(self.amounts(tensor))
        days = times.astype("datetime64[us]").astype("datetime64[D]")
        hours, months = times % _DAY // _HOUR, days.astype("datetime64[M]").astype(np.int64) % 12
        weekdays = (days.astype(np.int64) + 3) % 7
        year = (days - days.astype("datetime64[Y]").astype("datetime64[D]")).astype(np.int64) / _YEAR_DAYS
        parts = [hours] if self._is_time else [months, weekdays, hours]
        return np.stack(parts, axis=1), np.stack([year, times % _DAY / _DAY], axis=1)

    def linear_features(self, tensor: Tensor) -> Tensor:
        """Those of the rank, and waves of a year and a day, and the weekday one-hot."""
        parts, shares = self._calendar(tensor)
        angles = 2 * np.pi * np.concatenate([shares, 2 * shares], axis=1)
        waves = np.concatenate([np.sin(angles), np.cos(angles)], axis=1)
        weekdays = np.zeros((len(parts), 0)) if self._is_time else np.eye(7)[parts[:, 1]]
        known = torch.from_numpy(np.concatenate([waves, weekdays], axis=1)).to(tensor.device, torch.float32)
        return torch.cat([super().linear_features(tensor), known], dim=1)


def _kind_of(cells: pd.Series[Any]) -> tuple[str | None, DateForm]:
    """Cell type of most cells, and the form of texts; None where they are no dates.

    Raises:
        RejectColumn: texts are no dates.
    """
    if pd.api.types.is_datetime64_any_dtype(cells.dtype):
        return "timestamp", DateForm()
    if isinstance(cells.dtype, pd.PeriodDtype):
        return str(cells.dtype), DateForm()
    if pd.api.types.is_bool_dtype(cells.dtype) or pd.api.types.is_float_dtype(cells.dtype):
        return None, DateForm()
    if isinstance(cells.dtype, pd.CategoricalDtype):
        return None, DateForm()
    kind = cell_type_of(cells.iloc[:1_000])
    if kind in _TYPES or kind.startswith("period"):
        return kind, DateForm()
    if kind == "integer":
        # A random number of eight digits is a day in 1 of 40 cases.
        return ("integer" if len(cells) >= 5 and likely_dates(cells.tolist()) else None), DateForm("%Y%m%d")
    if kind == "text":
        texts = cells[[isinstance(cell, str) for cell in cells]]
        return "text", find_date_form(texts)
    return None, DateForm()


def _zone_of(cells: pd.Series[Any]) -> str:
    """Name of the time zone of most cells; empty for none."""
    if isinstance(cells.dtype, pd.DatetimeTZDtype):
        return str(cells.dtype.tz)
    for cell in cells.iloc[:100]:
        if isinstance(cell, datetime.datetime) and cell.tzinfo is not None:
            return str(pd.Timestamp(cell).tz)
    return ""


def _wall_times(cells: pd.Series[Any], zone: str, form: DateForm) -> pd.Series[Any]:
    """Wall times datetime64[us] of cells of any kind, NaT where a cell is none."""
    if isinstance(cells.dtype, pd.PeriodDtype):
        return cells.dt.to_timestamp().astype("datetime64[us]")
    if pd.api.types.is_datetime64_any_dtype(cells.dtype) and not isinstance(cells.dtype, pd.ArrowDtype):
        aware = cells.dt.tz is not None
        local = (cells.dt.tz_convert(zone) if zone else cells).dt.tz_localize(None) if aware else cells
        return local.astype("datetime64[us]")
    found = pd.Series(pd.NaT, index=cells.index, dtype="datetime64[us]")
    objects = cells.astype(object)
    is_text = np.array([isinstance(cell, str) for cell in objects], bool)
    if is_text.any():
        # A text without offset is a wall time; one with an offset an instant, in the zone if there is one.
        texts = objects[is_text]
        wall = form.parse(texts)
        if zone:
            has_offset = texts.str.contains(r"(?:Z|[+-]\d\d:?\d\d)\s*$")
            local = wall.dt.tz_localize("UTC").dt.tz_convert(zone).dt.tz_localize(None)
            wall = wall.where(~has_offset, local)
        found[is_text] = wall
    rest = objects[~is_text]
    if len(rest):
        found[~is_text] = pd.Series(
            [_wall_time(cell, zone, form) for cell in rest], index=rest.index, dtype="datetime64[us]"
        )
    return found


def _wall_time(cell: Any, zone: str, form: DateForm) -> Any:
    if isinstance(cell, datetime.time):
        return pd.Timestamp(datetime.datetime.combine(datetime.date(1970, 1, 1), cell.replace(tzinfo=None)))
    if isinstance(cell, pd.Period):
        return cell.to_timestamp()
    if isinstance(cell, (int, np.integer)) and not isinstance(cell, bool):
        return form.parse(pd.Series([str(cell)], dtype=object)).iloc[0]
    if isinstance(cell, (datetime.date, np.datetime64)):
        stamp = pd.Timestamp(cell)
        if stamp.tz is None:
            return stamp
        return (stamp.tz_convert(zone) if zone else stamp).tz_localize(None)
    return pd.NaT
