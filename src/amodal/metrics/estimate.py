"""What a metric gives: a number, how far it can be trusted, and of how many rows; or the reason why there is none."""

from __future__ import annotations

import math
from dataclasses import dataclass


class MetricUnavailable(ValueError):
    """A metric cannot be had of these rows; the message says why, as it may stand after "left out because"."""


@dataclass(frozen=True)
class Estimate:
    """A metric's value, which is never NaN.

    Attributes:
        value: the value.
        rows: on how many rows it was measured, of each of the tables that are compared at most.
        low: lower end of a 95 % interval; None where there is none.
        high: its upper end.
        subsampled: whether there were more rows, of which these were drawn.

    Raises:
        MetricUnavailable: a value is not finite.
    """

    value: float
    rows: int
    low: float | None = None
    high: float | None = None
    subsampled: bool = False

    def __post_init__(self) -> None:
        if not all(
            math.isfinite(number) for number in (self.value, self.low, self.high) if number is not None
        ):
            raise MetricUnavailable(f"the metric is not finite on these {self.rows} rows")


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
