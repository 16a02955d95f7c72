"""Grids of the times that a column has: every 15 minutes, Mondays, working days, ends of months."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np

Times = np.ndarray[Any, Any]
"""Microseconds since 1970, int64 (N,)."""

_DAY = 86_400_000_000
_FEWEST_WORKING_DAYS = 20
_FEWEST = 3
_MOST_STEPS = 2**52
_UNITS = (
    (7 * _DAY, "weeks"),
    (_DAY, "days"),
    (3_600_000_000, "hours"),
    (60_000_000, "minutes"),
    (1_000_000, "seconds"),
    (1_000, "milliseconds"),
    (1, "microseconds"),
)
Kind = Literal["time", "month", "month_end", "working_day"]


@dataclass(frozen=True)
class Grid:
    """Times at equal steps, which are numbered.

    Attributes:
        kind: what is counted: microseconds, first days of months, last days of months, or days from Monday to Friday.
        origin: number of the earliest.
        step: between two times.
        time_of_day: microseconds since midnight, for kinds that count days.
    """

    kind: Kind = "time"
    origin: int = 0
    step: int = 1
    time_of_day: int = 0

    @classmethod
    def fit(cls, times: Times) -> Self:
        """The coarsest grid that has all times."""
        distinct = np.unique(times)
        kind = _kind(distinct)
        time_of_day = 0 if kind == "time" else int(distinct[0] % _DAY)
        numbers = np.unique(cls(kind, time_of_day=time_of_day)._counted(distinct))
        step = int(np.gcd.reduce(np.diff(numbers))) if len(numbers) > 1 else 1
        return cls(kind, int(numbers[0]), max(step, 1), time_of_day)

    @property
    def unit(self) -> str:
        """Name of `amounts`' unit."""
        return {"time": "days", "month": "months", "month_end": "months", "working_day": "working days"}[
            self.kind
        ]

    @property
    def description(self) -> str:
        """The grid in a few words, such as "steps of 15 minutes"."""
        if self.kind != "time":
            name = {"month": "first of month", "month_end": "end of month", "working_day": "working day"}[
                self.kind
            ]
            return f"every {name}" if self.step == 1 else f"every {self.step} steps of {name}"
        size, unit = next((size, unit) for size, unit in _UNITS if self.step % size == 0)
        count = self.step // size
        return f"steps of {count} {unit}" if count > 1 else f"steps of 1 {unit.removesuffix('s')}"

    def numbers(self, times: Times) -> np.ndarray[Any, Any]:
        """Steps (N,) from the origin, float64."""
        return np.asarray((self._counted(times) - self.origin) / self.step, np.float64)

    def times(self, numbers: np.ndarray[Any, Any]) -> Times:
        """Times (N,) of steps (N,), rounded to whole ones."""
        counted = (
            np.clip(np.round(numbers), -_MOST_STEPS, _MOST_STEPS).astype(np.int64) * self.step + self.origin
        )
        if self.kind == "time":
            return counted
        if self.kind == "working_day":
            days = np.busday_offset(np.datetime64("1970-01-01"), counted, roll="forward")
        else:
            months = counted.astype("datetime64[M]")
            days = months.astype("datetime64[D]")
            if self.kind == "month_end":
                days = (months + 1).astype("datetime64[D]") - 1
        return days.astype("datetime64[us]").astype(np.int64) + self.time_of_day

    def _counted(self, times: Times) -> np.ndarray[Any, Any]:
        if self.kind == "time":
            return times
        days = times.astype("datetime64[us]").astype("datetime64[D]")
        if self.kind == "working_day":
            return np.busday_count(np.datetime64("1970-01-01"), days)
        return days.astype("datetime64[M]").astype(np.int64)


def _kind(times: Times) -> Kind:
    if len(times) < _FEWEST or len(np.unique(times % _DAY)) > 1:
        return "time"
    days = times.astype("datetime64[us]").astype("datetime64[D]")
    first = days.astype("datetime64[M]").astype("datetime64[D]")
    if (days == first).all():
        return "month"
    if ((days + 1).astype("datetime64[M]").astype("datetime64[D]") == days + 1).all():
        return "month_end"
    # 1970-01-01 was a Thursday.
    weekdays = (days.astype(np.int64) + 3) % 7
    if len(days) >= _FEWEST_WORKING_DAYS and (weekdays < 5).all() and len(np.unique(weekdays)) > 2:
        return "working_day"
    return "time"
