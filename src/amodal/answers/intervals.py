"""The stored numbers whose cells meet a condition, as intervals."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from amodal.modalities import Modality

Floats = NDArray[np.float64]
_LIMIT = np.float32(6.0)
"""Stored numbers of ordered types lie within +-6: normal quantiles of ranks, of which the last ones are at 5.2."""


def cells_at(modality: Modality, points: NDArray[np.float32]) -> Floats:
    """Comparable cells (N,) of stored numbers (N,)."""
    return np.asarray(modality.comparable(modality.to_cells(torch.from_numpy(points))), dtype=np.float64)


def cell_range(modality: Modality) -> tuple[float, float]:
    """The least and the greatest cell that an ordered type draws, as comparable numbers."""
    least, greatest = cells_at(modality, np.array([-_LIMIT, _LIMIT], dtype=np.float32))
    return float(least), float(greatest)


def allowed_intervals(
    modality: Modality,
    cuts: Sequence[tuple[Floats, Floats]],
    is_allowed: Callable[[Floats], NDArray[np.bool_]],
    rows: int,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Closed intervals of stored numbers whose cells are allowed, exact to the last bit.

    A cell does not decrease with the stored number, so that the numbers of one cell, after rounding to the column's
    decimals, are an interval, whose ends are found by bisection over the floating-point numbers.

    Args:
        modality: of an ordered type.
        cuts: comparable cells (B,) at which `is_allowed` may change, and the rounding errors (B,) within which a cell
            equals them.
        is_allowed: called with a comparable cell a row (B,).
        rows: B.

    Returns:
        The least and the greatest numbers of each row's intervals, (B, P) each, ascending; an interval whose greatest
        number lies below its least is empty.
    """
    starts = np.full((rows, 1), -np.inf, dtype=np.float32)
    if cuts:
        least = np.stack([cut - slack for cut, slack in cuts], axis=1)
        greatest = np.stack([cut + slack for cut, slack in cuts], axis=1)
        starts = np.sort(np.concatenate([starts, _edges(modality, least, greatest)], axis=1), axis=1)
    ends = np.full_like(starts, np.inf)
    ends[:, :-1] = np.nextafter(starts[:, 1:], np.float32(-np.inf))
    is_reached = (starts <= ends) & (starts <= _LIMIT)
    examples = np.clip(starts, -_LIMIT, _LIMIT)
    for piece in range(starts.shape[1]):
        allowed = is_reached[:, piece] & is_allowed(cells_at(modality, examples[:, piece].copy()))
        starts[:, piece] = np.where(allowed, starts[:, piece], np.inf)
        ends[:, piece] = np.where(allowed, ends[:, piece], -np.inf)
    return starts, ends


def _edges(modality: Modality, least: Floats, greatest: Floats) -> NDArray[np.float32]:
    """The least stored numbers (B, 2 C) of cells that are at least `least`, and above `greatest`; inf where none is.

    Args:
        modality: of an ordered type.
        least: comparable cells (B, C).
        greatest: comparable cells (B, C).
    """
    bounds = np.concatenate([np.nextafter(least, -np.inf), greatest], axis=1)
    distinct, inverse = np.unique(bounds, return_inverse=True)
    low, high = (np.full(len(distinct), _ordinal(limit), dtype=np.int64) for limit in (-_LIMIT, _LIMIT))
    high += 1
    # The first ordinal whose cell is above a bound lies in low..high; the last one says that none is.
    while (low < high).any():
        middle = (low + high) // 2
        is_above = cells_at(modality, _from_ordinal(middle)) > distinct
        high, low = np.where(is_above, middle, high), np.where(is_above, low, np.minimum(middle + 1, high))
    points = np.where(low > _ordinal(_LIMIT), np.float32(np.inf), _from_ordinal(low))
    return points.astype(np.float32)[inverse.reshape(bounds.shape)]


def _ordinal(number: np.float32) -> int:
    """The place of a float32 among all in their order."""
    bits = int(np.float32(number).view(np.int32))
    return bits if bits >= 0 else -(bits & 0x7FFFFFFF)


def _from_ordinal(ordinal: NDArray[np.int64]) -> NDArray[np.float32]:
    size = np.abs(ordinal).astype(np.int32).view(np.float32)
    return np.where(ordinal < 0, -size, size).astype(np.float32)
