"""Distributions of a column's real and generated numbers or labels, as shapes for SVG and HTML."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amodal.report.page.formatting import number

_MOST_LABELS = 12


@dataclass(frozen=True)
class Histogram:
    """Shares of numbers in bins of equal width, as steps in a box of 100 x 100, with its axis.

    Attributes:
        real: of real numbers, points of an SVG polygon.
        generated: of generated numbers, points of an SVG polyline.
        ticks: the numbers at the left, in the middle and at the right.
        outside: share of generated numbers beyond both ends, which are counted in the last bins.
    """

    real: str
    generated: str
    ticks: tuple[str, str, str]
    outside: float


@dataclass(frozen=True)
class Bar:
    """Shares of a label.

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
    """Histograms between the 0.5 % quantiles of real numbers; None without real or generated ones."""
    values = [np.asarray(list(cells), np.float64) for cells in (real, generated)]
    first, second = (each[np.isfinite(each)] for each in values)
    if not len(first) or not len(second):
        return None
    low, high = np.quantile(first, [0.005, 0.995])
    if low == high:
        low, high = low - 0.5, high + 0.5
    bins = int(np.clip(np.sqrt(len(first)), 8, 28))
    edges = np.linspace(low, high, bins + 1)
    shares = [np.histogram(each.clip(low, high), edges)[0] / len(each) for each in (first, second)]
    top = max(share.max() for share in shares)

    def steps(share: NDArray[Any]) -> str:
        xs = np.repeat(np.linspace(0, 100, bins + 1), 2)
        ys = np.concatenate([[100], np.repeat(100 - share / top * 96, 2), [100]])
        return " ".join(f"{x:.2f},{y:.2f}" for x, y in zip(xs, ys, strict=True))

    outside = float(((second < low) | (second > high)).mean())
    left, middle, right = (number(float(end)) for end in (low, (low + high) / 2, high))
    return Histogram(steps(shares[0]), steps(shares[1]), (left, middle, right), outside)


def bars(real: Sequence[Any], generated: Sequence[Any]) -> list[Bar]:
    """Shares of the labels, the most frequent first, those beyond twelve as one."""
    first, second = Counter(map(str, real)), Counter(map(str, generated))
    labels = sorted(first | second, key=lambda label: (-first[label], label))
    counts = [(label, first[label], second[label]) for label in labels]
    if len(counts) > _MOST_LABELS + 1:
        _, *others = zip(*counts[_MOST_LABELS:], strict=True)
        counts[_MOST_LABELS:] = [(f"{len(others[0])} others", sum(others[0]), sum(others[1]))]
    shares = [
        (label, one / max(first.total(), 1), two / max(second.total(), 1)) for label, one, two in counts
    ]
    top = max((max(one, two) for _, one, two in shares), default=1.0) or 1.0
    return [Bar(label, one, two, one / top * 100, two / top * 100) for label, one, two in shares]
