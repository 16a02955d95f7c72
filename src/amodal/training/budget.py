"""The budget of training, in epochs and time."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import pandas as pd

from amodal.errors import UsageError


def parse_duration(limit: str | float | None) -> float | None:
    """Seconds of a time limit.

    Args:
        limit: seconds, or numbers with units such as "90s", "5m", "1h30m"; None for no limit.

    Raises:
        UsageError: it is no duration, or is not above zero.

    Example:
        >>> parse_duration("5m"), parse_duration("1h30m"), parse_duration(20)
        (300.0, 5400.0, 20.0)
    """
    if limit is None:
        return None
    if isinstance(limit, str):
        try:
            # A number without a unit would be nanoseconds.
            seconds = math.nan if limit[-1:].isdigit() else pd.Timedelta(limit.lower()).total_seconds()
        except ValueError:
            seconds = math.nan
        if math.isnan(seconds):
            raise UsageError(f"Time limit {limit!r} is not understood: write 90s, 5m or 1h30m.")
    else:
        seconds = float(limit)
    if not seconds > 0:
        raise UsageError("A time limit must be above zero.")
    return seconds


@dataclass
class Budget:
    """The end of training: a number of epochs, a time, or both.

    Attributes:
        epochs: most passes.
        seconds: most time; None for no limit.
        started: time of the user's call on `clock`, so that reading the data counts; now by default.
        spent: seconds of earlier runs that this one resumes.
        clock: gives the time in seconds, from any origin.
    """

    epochs: int
    seconds: float | None = None
    started: float = math.nan
    spent: float = 0.0
    clock: Callable[[], float] = time.monotonic

    def __post_init__(self) -> None:
        if math.isnan(self.started):
            self.started = self.clock()

    def elapsed(self) -> float:
        """Seconds spent, those of earlier runs included."""
        return self.spent + self.clock() - self.started

    def expired(self, reserve: float = 0.0) -> bool:
        """True when at most `reserve` seconds are left."""
        return self.seconds is not None and self.elapsed() + reserve >= self.seconds

    def check(self, activity: str) -> None:
        """Raise when the time is up.

        Args:
            activity: what took the time, as in "the table was read".

        Raises:
            UsageError: the time is up.
        """
        if self.expired():
            raise UsageError(
                f"The time limit of {self.seconds:g} s ended while {activity}: give more time or fewer rows."
            )

    def fraction(self, epochs_done: float) -> float:
        """Fraction of the budget used up, 0 to 1: of the epochs or of the time, whichever is more."""
        of_epochs = epochs_done / self.epochs
        of_time = self.elapsed() / self.seconds if self.seconds else 0.0
        return min(1.0, max(of_epochs, of_time))

    def seconds_left(self, epochs_done: float) -> float | None:
        """Estimate of the time left; None before there is anything to judge by."""
        used = self.fraction(epochs_done)
        return self.elapsed() * (1.0 - used) / used if used > 0.005 else None


@dataclass(frozen=True)
class Span:
    """The part of a budget that one stage has.

    Attributes:
        budget: of all stages.
        start: fraction of the budget used up when the stage begins, 0 to 1.
        end: fraction used up when it ends.
        epochs_before: epochs of earlier stages, fractions included.
    """

    budget: Budget
    start: float = 0.0
    end: float = 1.0
    epochs_before: float = 0.0

    @classmethod
    def after(cls, budget: Budget, epochs_before: float, fraction: float) -> Self:
        """The span from now on of a stage that takes a fraction of what is left of the budget.

        Of what is left, so that the time that reading the table took is missing from all stages alike.
        """
        start = budget.fraction(epochs_before)
        return cls(budget, start, start + (1.0 - start) * fraction, epochs_before)

    def budget_fraction(self, epochs_done: float) -> float:
        """Fraction of the whole budget used up after so many epochs of the stage, 0 to 1."""
        return self.budget.fraction(self.epochs_before + epochs_done)

    def fraction(self, epochs_done: float) -> float:
        """Fraction of the span used up after so many epochs of the stage, 0 to 1."""
        used = self.budget_fraction(epochs_done) - self.start
        return min(1.0, max(0.0, used) / max(self.end - self.start, 1e-9))

    def is_late(self, reserve: float) -> bool:
        """True when less than `reserve` seconds of the stage's time are left."""
        return self.seconds_left() < reserve

    def is_over(self, epochs_done: float, reserve: float) -> bool:
        """True when the stage is late or its epochs are done."""
        return self.is_late(reserve) or self.epochs_before + epochs_done >= self.budget.epochs * self.end

    @property
    def seconds(self) -> float:
        """The stage's time; infinite without a time limit."""
        limit = self.budget.seconds
        return math.inf if limit is None else limit * (self.end - self.start)

    def seconds_left(self, fraction: float = 1.0) -> float:
        """Seconds until this fraction of the stage's time is used up; infinite without a time limit."""
        limit = self.budget.seconds
        if limit is None:
            return math.inf
        return limit * self.start + self.seconds * fraction - self.budget.elapsed()

    @property
    def epochs(self) -> int:
        """Most epochs that the stage may begin."""
        return max(1, math.ceil(self.budget.epochs * self.end - self.epochs_before))
