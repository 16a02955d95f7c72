"""Training and test rows, so that no model is judged by rows it was fitted to."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from amodal.errors import DataError, UsageError, examples
from amodal.table import read_table


def split(
    data: Any,
    *,
    test: float | int = 0.2,
    group: str | None = None,
    time: str | None = None,
    seed: int = 0,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Split a table into training rows and test rows; see `split_rows`.

    Args:
        data: a DataFrame, or a file or folder; see `TableModel.fit`.
        test: share of the rows to test by, between 0 and 1, or their number.
        group: column of which no value is in both parts.
        time: column by which the last rows are the test rows.
        seed: of the choice.

    Returns:
        Training rows and test rows, with the index of `data`.

    Example:
        >>> train, test = split(pd.DataFrame({"x": range(10)}))
        >>> len(train), len(test)
        (8, 2)
    """
    frame = data if isinstance(data, pd.DataFrame) else read_table(data).frame
    rows = split_rows(frame, test=test, group=group, time=time, seed=seed)
    return frame.iloc[rows[0]], frame.iloc[rows[1]]


def split_rows(
    frame: pd.DataFrame,
    *,
    test: float | int = 0.2,
    group: str | None = None,
    time: str | None = None,
    seed: int = 0,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Positions of the training rows and of the test rows, each in the frame's order.

    Args:
        frame: the rows.
        test: share of the rows to test by, between 0 and 1, or their number.
        group: column of which no value is in both parts; rows without a value are groups of their own.
        time: column by which the last rows are the test rows; equal times stay together.
        seed: of the choice; the same seed gives the same rows.

    Raises:
        UsageError: an unknown column, a share out of range, or both `group` and `time`.
        DataError: a part would have no rows, or a time is missing or cannot be read.

    Example:
        >>> frame = pd.DataFrame({"who": ["a", "a", "b", "b", "c", "c"]})
        >>> train, test = split_rows(frame, test=2, group="who")
        >>> set(frame["who"].iloc[train]) & set(frame["who"].iloc[test])
        set()
    """
    count = _count(test, len(frame))
    if group is not None and time is not None:
        raise UsageError("Give group or time, not both.")
    for name in (group, time):
        if name is not None and name not in frame:
            raise UsageError(f"The table has no column {name!r}. Choose from {', '.join(map(str, frame))}.")
    if time is not None:
        chosen = _last(frame[time], time, count)
    elif group is not None:
        chosen = _groups(frame[group], count, seed)
    else:
        chosen = np.random.default_rng(seed).permutation(len(frame))[:count]
    is_test = np.zeros(len(frame), bool)
    is_test[chosen] = True
    if is_test.all() or not is_test.any():
        by = f" by column {group or time!r}" if group or time else ""
        raise DataError(f"The table of {len(frame)} rows cannot be split{by}: one part would have no rows.")
    return np.flatnonzero(~is_test), np.flatnonzero(is_test)


def _count(test: float | int, rows: int) -> int:
    is_share = 0 < test < 1
    if not is_share and (test < 1 or float(test) != int(test)):
        raise UsageError(f"test must be a share between 0 and 1 or a number of rows, not {test}.")
    if test >= max(rows, 2):
        raise UsageError(f"test={int(test)} leaves none of {rows} rows to fit to.")
    return max(1, round(test * rows)) if is_share else int(test)


def _groups(cells: pd.Series[Any], count: int, seed: int) -> NDArray[np.int64]:
    """Positions of whole groups, in random order, until there are as many rows as asked for, as nearly as can be."""
    codes, found = pd.factorize(cells.map(str).where(cells.notna()), use_na_sentinel=True)
    alone = codes < 0
    codes[alone] = len(found) + np.arange(alone.sum())
    sizes = np.bincount(codes)
    order = np.random.default_rng(seed).permutation(len(sizes))
    reached = np.cumsum(sizes[order])
    last = int(np.abs(reached - count).argmin())
    return np.flatnonzero(np.isin(codes, order[: last + 1]))


def _last(cells: pd.Series[Any], name: str, count: int) -> NDArray[np.int64]:
    times = pd.to_numeric(cells, errors="coerce")
    if times.isna().any():
        times = pd.to_datetime(cells, errors="coerce", format="mixed", utc=True)
    if times.isna().any():
        wrong = [int(row) + 1 for row in np.flatnonzero(times.isna())]
        raise DataError(f"Column {name!r} has no time in {len(wrong)} rows: {examples(wrong)}.")
    values = times.to_numpy()
    threshold = np.sort(values)[len(values) - count]
    return np.flatnonzero(values >= threshold)
