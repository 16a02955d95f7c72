"""The value of a metric with its confidence interval, or the reason why there is none."""

from __future__ import annotations

import math
from collections.abc import Sized
from dataclasses import dataclass
from typing import ClassVar, Literal

from pydantic import ConfigDict

Better = Literal["higher", "lower"]

_LEAST_RANGE = 0.1


class MetricUnavailable(ValueError):
    """A metric cannot be computed; the message completes the sentence "unavailable because ..."."""


@dataclass(frozen=True)
class Estimate:
    """A finite value with its 95 % confidence interval.

    Attributes:
        value: the point estimate.
        rows: sample size, of the smaller table where two are compared.
        low: lower end of the interval; None where none is computed.
        high: upper end.
        subsampled: whether the rows were drawn from more.

    Raises:
        MetricUnavailable: a value is not finite.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    value: float
    rows: int
    low: float | None = None
    high: float | None = None
    subsampled: bool = False

    def __post_init__(self) -> None:
        if not all(math.isfinite(each) for each in (self.value, *self.interval)):
            raise MetricUnavailable(f"the metric is not finite on these {self.rows} rows")

    @property
    def interval(self) -> tuple[float, float]:
        """Both ends of the interval; the value itself where none is computed."""
        return tuple(self.value if end is None else end for end in (self.low, self.high))  # type: ignore[return-value]


@dataclass(frozen=True, kw_only=True)
class Metric(Estimate):
    """An estimate with its name, and the same metric of real rows and of a random baseline.

    Attributes:
        name: such as "coverage".
        description: one sentence.
        unit: of the value; empty for shares and other plain numbers.
        better: the better direction; None where neither is, as described.
        ceiling: the metric of real held-out rows.
        floor: the metric of the baseline that `floor_kind` names.
        floor_kind: such as "shuffled".
    """

    name: str
    description: str = ""
    unit: str = ""
    better: Better | None = None
    ceiling: Estimate | None = None
    floor: Estimate | None = None
    floor_kind: str = ""

    @property
    def normalized(self) -> float | None:
        """The value between floor, 0, and ceiling, 1, clipped.

        None where these do not differ by a tenth of the larger of them in the better direction.
        """
        return self.normalize(self.value)

    @property
    def normalized_interval(self) -> tuple[float, float]:
        """Both ends of the interval between floor and ceiling, ascending; 0 where `normalized` is None."""
        low, high = sorted(self.normalize(end) or 0.0 for end in self.interval)
        return low, high

    @property
    def mark(self) -> Estimate | None:
        """`normalized` with its interval."""
        if self.normalized is None:
            return None
        return Estimate(self.normalized, self.rows, *self.normalized_interval, self.subsampled)

    def normalize(self, value: float) -> float | None:
        """`normalized`, of another value of this metric."""
        if self.better is None or self.ceiling is None or self.floor is None:
            return None
        span = self.ceiling.value - self.floor.value
        least = _LEAST_RANGE * max(abs(self.ceiling.value), abs(self.floor.value))
        if span * (1 if self.better == "higher" else -1) <= least:
            return None
        return min(1.0, max(0.0, (value - self.floor.value) / span))


def need_rows(rows: int, least: int, what: str = "rows") -> None:
    """Refuse to measure on too few rows.

    Raises:
        MetricUnavailable: there are fewer than `least`.

    Example:
        >>> need_rows(3, 10, "real rows")
        Traceback (most recent call last):
        amodal.metrics.estimate.MetricUnavailable: it needs at least 10 real rows, and there are 3
    """
    if rows < least:
        raise MetricUnavailable(f"it needs at least {least} {what}, and there are {rows}")


def need_both(real: Sized, generated: Sized, least: int, what: str) -> int:
    """Refuse to compare too few real or generated rows; the number of the fewer of both.

    Raises:
        MetricUnavailable: either has fewer than `least`.
    """
    need_rows(len(real), least, f"real {what}")
    need_rows(len(generated), least, f"generated {what}")
    return min(len(real), len(generated))
