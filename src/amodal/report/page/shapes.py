"""The shapes of columns: real cells beside generated ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from amodal.report.page.wording import number

_MOST_LABELS = 12


@dataclass(frozen=True)
class Histogram:
    """Shares of numbers in bins of equal width, as steps in a box of 100 x 100, and its ends.

    Attributes:
        real: of real numbers, points as SVG's polygon takes them.
        generated: of generated numbers, points as SVG's polyline takes them.
        low: the number at the left.
        middle: the number in the middle.
        high: the number at the right.
        outside: share of generated numbers beyond both ends, which are shown in the last bins.
    """

    real: str
    generated: str
    low: str
    middle: str
    high: str
    outside: float


@dataclass(frozen=True)
class Bar:
    """A label's shares.

    Attributes:
        label: the label.
        real: share of real cells, 0 to 1.
        generated: share of generated cells.
        real_width: as a part of the longest bar, 0 to 100.
        generated_width: likewise.
    """

    label: str
    real: float
    generated: float
    real_width: float
    generated_width: float


def histogram(real: Sequence[Any], generated: Sequence[Any]) -> Histogram | None:
    """The numbers' shapes, between the ends of all but the outermost real ones; None where either are none."""
    first, second = (np.asarray(list(cells), np.float64) for cells in (real, generated))
    first, second = first[np.isfinite(first)], second[np.isfinite(second)]
    if not len(first) or not len(second):
        return None
    low, high = np.quantile(first, [0.005, 0.995])
    if low == high:
        low, high = low - 0.5, high + 0.5
    bins = int(np.clip(np.sqrt(len(first)), 8, 28))
    edges = np.linspace(low, high, bins + 1)
    shares = [np.histogram(values.clip(low, high), edges)[0] / len(values) for values in (first, second)]
    top = max(share.max() for share in shares)

    def steps(share: np.ndarray[Any, Any]) -> str:
        xs = np.repeat(np.linspace(0, 100, bins + 1), 2)
        ys = np.concatenate([[100], np.repeat(100 - share / top * 96, 2), [100]])
        return " ".join(f"{x:.2f},{y:.2f}" for x, y in zip(xs, ys, strict=True))

    outside = float(((second < low) | (second > high)).mean())
    return Histogram(
        steps(shares[0]),
        steps(shares[1]),
        number(float(low)),
        number(float((low + high) / 2)),
        number(float(high)),
        outside,
    )


def bars(real: Sequence[Any], generated: Sequence[Any]) -> list[Bar]:
    """Shares of the labels, the most frequent first, those beyond twelve as one."""
    first, second = Counter(map(str, real)), Counter(map(str, generated))
    labels = sorted(first | second, key=lambda label: (-first[label], label))
    shown, others = labels[:_MOST_LABELS], labels[_MOST_LABELS:]
    if len(others) == 1:
        shown, others = labels, []
    counts = [(label, first[label], second[label]) for label in shown]
    if others:
        counts.append(
            (
                f"{len(others)} others",
                sum(first[label] for label in others),
                sum(second[label] for label in others),
            )
        )
    shares = [
        (label, one / max(first.total(), 1), two / max(second.total(), 1)) for label, one, two in counts
    ]
    top = max((max(one, two) for _, one, two in shares), default=1.0) or 1.0
    return [Bar(label, one, two, one / top * 100, two / top * 100) for label, one, two in shares]
