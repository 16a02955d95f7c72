"""How long training may go on, and how far it has come."""

from __future__ import annotations

import math
import re
import time
from dataclasses import dataclass, field

from amodal.problems import UsageProblem

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def seconds_of(limit: str | float | None) -> float | None:
    """Read a time limit.

    Args:
        limit: seconds, or a number with a unit such as "90s", "5m", "1.5h"; None for no limit.

    Raises:
        UsageProblem: it cannot be read, or is not above zero.

    Example:
        >>> seconds_of("5m"), seconds_of("1h30m"), seconds_of(20)
        (300.0, 5400.0, 20.0)
    """
    if limit is None:
        return None
    if isinstance(limit, str):
        parts = re.findall(r"(\d+(?:\.\d+)?)([smhd])", limit.strip().lower())
        if not parts or "".join(number + unit for number, unit in parts) != limit.strip().lower():
            raise UsageProblem(f"Time limit {limit!r} is not understood: write 90s, 5m or 1h30m.")
        limit = sum(float(number) * _UNITS[unit] for number, unit in parts)
    if limit <= 0:
        raise UsageProblem("A time limit must be above zero.")
    return float(limit)


@dataclass
class Budget:
    """The end of training: a number of epochs, a time, or both.

    Attributes:
        epochs: most passes.
        seconds: most time, counted from `started`; None for no limit.
        started: when the user's call began, on `time.monotonic`'s clock, so that reading the data counts.
        spent: seconds of earlier runs that this one goes on from.
    """

    epochs: int
    seconds: float | None = None
    started: float = field(default_factory=time.monotonic)
    spent: float = 0.0

    def elapsed(self) -> float:
        """Seconds spent, those of earlier runs included."""
        return self.spent + time.monotonic() - self.started

    def fraction(self, epochs_done: float) -> float:
        """How much of the budget is used up, 0 to 1."""
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
        start: share of the budget that is used up when the stage begins, 0 to 1.
        end: share that is used up when it ends.
        epochs_before: epochs of earlier stages; the last of them may be a part of one.
    """

    budget: Budget
    start: float = 0.0
    end: float = 1.0
    epochs_before: float = 0.0

    def whole(self, epochs_done: float) -> float:
        """How much of the budget is used up after so many of the stage's epochs, 0 to 1."""
        return self.budget.fraction(self.epochs_before + epochs_done)

    def used(self, epochs_done: float) -> float:
        """How much of the stage's part is used up, 0 to 1."""
        return min(1.0, max(0.0, self.whole(epochs_done) - self.start) / max(self.end - self.start, 1e-9))

    def over(self, epochs_done: float, reserve: float) -> bool:
        """Whether the stage's time is up, `reserve` seconds of which are still needed, or its epochs are done."""
        budget = self.budget
        late = budget.seconds is not None and budget.elapsed() + reserve > budget.seconds * self.end
        return late or self.epochs_before + epochs_done >= budget.epochs * self.end

    @property
    def epochs(self) -> int:
        """Most epochs the stage may begin."""
        return max(1, math.ceil(self.budget.epochs * self.end - self.epochs_before))
