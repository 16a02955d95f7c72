"""How long training may go on, and how far it has come."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable
from dataclasses import dataclass

from amodal.errors import UsageError

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def parse_duration(limit: str | float | None) -> float | None:
    """Read a time limit.

    Args:
        limit: seconds, or a number with a unit such as "90s", "5m", "1.5h"; None for no limit.

    Raises:
        UsageError: it cannot be read, or is not above zero.

    Example:
        >>> parse_duration("5m"), parse_duration("1h30m"), parse_duration(20)
        (300.0, 5400.0, 20.0)
    """
    if limit is None:
        return None
    if isinstance(limit, str):
        parts = re.findall(r"(\d+(?:\.\d+)?)([smhd])", limit.strip().lower())
        if not parts or "".join(number + unit for number, unit in parts) != limit.strip().lower():
            raise UsageError(f"Time limit {limit!r} is not understood: write 90s, 5m or 1h30m.")
        limit = sum(float(number) * _UNITS[unit] for number, unit in parts)
    if limit <= 0:
        raise UsageError("A time limit must be above zero.")
    return float(limit)


@dataclass
class Budget:
    """The end of training: a number of epochs, a time, or both.

    Attributes:
        epochs: most passes.
        seconds: most time; None for no limit.
        started: when the user's call began, on that clock, so that reading the data counts; now by default.
        spent: seconds of earlier runs that this one resumes.
        clock: the time in seconds, from any origin.
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
        """Whether the time is up, `reserve` seconds of which are still needed."""
        return self.seconds is not None and self.elapsed() + reserve >= self.seconds

    def check(self, activity: str) -> None:
        """Refuse to go on when the time is up.

        Args:
            activity: what takes the time, as in "the table was read".

        Raises:
            UsageError: it is.
        """
        if self.expired():
            raise UsageError(
                f"The time limit of {self.seconds:g} s ended while {activity}: give more time or fewer rows."
            )

    def fraction(self, epochs_done: float) -> float:
        """Share of the budget used up, 0 to 1."""
        of_epochs = epochs_done / self.epochs
        of_time = self.elapsed() / self.seconds if self.seconds else 0.0
        return min(1.0, max(of_epochs, of_time))

    def seconds_left(self, epochs_done: float) -> float | None:
        """Estimate of the time left; None before there is anything to judge by."""
        used = self.fraction(epochs_done)
        return self.elapsed() * (1.0 - used) / used if used > 0.005 else None


@dataclass(frozen=True)
class Span:
    """The part of a budget that one stage of training has.

    Attributes:
        budget: the whole.
        start: share of the budget used up when the stage begins, 0 to 1.
        end: share used up when it ends.
        epochs_before: epochs of earlier stages; the last of them may be a part of one.
    """

    budget: Budget
    start: float = 0.0
    end: float = 1.0
    epochs_before: float = 0.0

    def whole(self, epochs_done: float) -> float:
        """Share of the budget used up after so many of the stage's epochs, 0 to 1."""
        return self.budget.fraction(self.epochs_before + epochs_done)

    def used(self, epochs_done: float) -> float:
        """Share of the stage's part used up, 0 to 1."""
        return min(1.0, max(0.0, self.whole(epochs_done) - self.start) / max(self.end - self.start, 1e-9))

    def late(self, reserve: float) -> bool:
        """Whether the stage's time is up, `reserve` seconds of which are still needed."""
        return self.seconds_left() < reserve

    def over(self, epochs_done: float, reserve: float) -> bool:
        """Whether the stage's time is up or its epochs are done."""
        return self.late(reserve) or self.epochs_before + epochs_done >= self.budget.epochs * self.end

    @property
    def seconds(self) -> float:
        """The stage's time; infinite without a limit of time."""
        budget = self.budget
        return math.inf if budget.seconds is None else budget.seconds * (self.end - self.start)

    def seconds_left(self, share: float = 1.0) -> float:
        """Seconds until this share of the stage's time is used up; infinite without a limit of time."""
        budget = self.budget
        if budget.seconds is None:
            return math.inf
        return budget.seconds * self.start + self.seconds * share - budget.elapsed()

    @property
    def epochs(self) -> int:
        """Most epochs the stage may begin."""
        return max(1, math.ceil(self.budget.epochs * self.end - self.epochs_before))
