"""Patterns of missing cells in a table, and rows with holes in the same pattern."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from amodal.answers.conditions import Conditions
from amodal.errors import UsageError

Mask = NDArray[np.bool_]
MAX_PATTERNS = 1_000


def count_patterns(present: NDArray[np.bool_]) -> dict[str, int]:
    """Frequencies of the rows' patterns of present cells, most frequent first, at most 1,000 of them.

    Args:
        present: boolean (N, M).

    Returns:
        Pattern -> rows; a pattern has a "1" for each column with a present cell and a "0" for each other.

    Example:
        >>> count_patterns(np.array([[True, True], [True, False], [True, True]]))
        {'11': 2, '10': 1}
    """
    packed, counts = np.unique(np.packbits(present, axis=1), axis=0, return_counts=True)
    order = np.argsort(-counts, kind="stable")[:MAX_PATTERNS]
    patterns = np.unpackbits(packed[order], axis=1, count=present.shape[1])
    return {
        "".join(map(str, pattern)): count
        for pattern, count in zip(patterns.tolist(), counts[order].tolist(), strict=True)
    }


def sample_missing(
    patterns: Mapping[str, int],
    columns: Sequence[str],
    n: int,
    conditions: Conditions,
    *,
    present: Iterable[str],
    seed: int,
) -> dict[str, Mask]:
    """Column -> boolean (n,), where generated rows have holes: patterns as frequent as among the training rows.

    A row's pattern does not depend on its cells, but for patterns that conditions or given columns exclude.

    Args:
        patterns: of `count_patterns`.
        columns: M columns, in the patterns' order.
        n: rows.
        conditions: of which a pattern must leave room for those of `where`.
        present: columns without holes.
        seed: of the patterns.

    Raises:
        UsageError: no pattern is left, or none is known.
    """
    if not patterns:
        raise UsageError("The model does not know the holes of its table: fit it again to draw them.")
    missing = np.array([[mark == "0" for mark in pattern] for pattern in patterns])
    is_possible = ~missing[:, [columns.index(name) for name in present]].any(1)
    hidden = {name: missing[:, place] for place, name in enumerate(columns)}
    for clause in conditions.where:
        is_possible &= clause.possible(hidden)
    if not is_possible.any():
        texts = " and ".join(clause.text for clause in conditions.where)
        raise UsageError(
            f"where: no row of the fitted table has such missing and present cells as {texts!r} asks for."
        )
    weights = np.array(list(patterns.values())) * is_possible
    chosen = np.random.default_rng(seed).choice(len(weights), size=n, p=weights / weights.sum())
    return {name: missing[chosen, place] for place, name in enumerate(columns)}
