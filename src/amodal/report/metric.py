"""Scores become what the report holds, and metrics that cannot be had become notes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from amodal.metrics import Estimate, MetricUnavailable
from amodal.report.results import Better, LeftOutNote, Mark, Reading


def mark(score: Estimate, *, cut: bool = False) -> Mark:
    """A score as the report holds it.

    Args:
        score: the score.
        cut: whether its rows were already drawn from more.
    """
    return Mark(
        value=score.value,
        low=score.low,
        high=score.high,
        rows=score.rows,
        subsampled=score.subsampled or cut,
    )


def reading(
    name: str,
    score: Estimate,
    *,
    better: Better | None,
    says: str = "",
    unit: str = "",
    ceiling: Estimate | None = None,
    floor: Estimate | None = None,
    floor_is: str = "",
    cut: bool = False,
) -> Reading:
    """A score with its name, beside those of real and of worthless rows; see `Reading`."""
    return Reading(
        **mark(score, cut=cut).model_dump(),
        name=name,
        says=says,
        unit=unit,
        better=better,
        ceiling=None if ceiling is None else mark(ceiling, cut=cut),
        floor=None if floor is None else mark(floor, cut=cut),
        floor_is=floor_is if floor is not None else "",
    )


class Notes:
    """What could not be had.

    Attributes:
        left_out: one note a metric.

    Example:
        >>> notes = Notes()
        >>> with notes.attempt("copying"):
        ...     raise MetricUnavailable("there are no training rows")
        >>> notes.left_out[0].reason
        'there are no training rows'
    """

    def __init__(self) -> None:
        self.left_out: list[LeftOutNote] = []

    def add(self, metric: str, reason: str, of: str = "") -> None:
        """Note that a metric is left out."""
        self.left_out.append(LeftOutNote(metric=metric, of=of, reason=reason))

    @contextmanager
    def attempt(self, metric: str, of: str = "") -> Iterator[None]:
        """Note the metric as left out where one is left out inside."""
        try:
            yield
        except MetricUnavailable as reason:
            self.add(metric, str(reason), of)
