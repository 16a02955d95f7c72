"""Exact shares of labels among generated rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from amodal.answers.conditions import Conditions
from amodal.errors import BadCells, UsageError
from amodal.modalities import Modality

_ROUNDING = 1e-6


def assigned_labels(
    n: int,
    balance: str | Sequence[str] | None,
    shares: Mapping[str, Mapping[Any, float]] | None,
    conditions: Conditions,
    seed: int,
) -> dict[str, NDArray[Any]]:
    """Column -> label of each of n rows, in random order.

    Args:
        n: rows.
        balance: columns of which each label is equally frequent, as far as n allows.
        shares: column -> label -> share; a column's shares sum to 1.
        conditions: labels that these forbid in a balanced column take no part.
        seed: of the order.

    Raises:
        UsageError: an unknown column or label, shares that do not sum to 1, or a column without labels.
    """
    columns = [balance] if isinstance(balance, str) else list(balance or ())
    wanted: dict[str, dict[Any, float]] = {}
    for name in columns:
        modality = _modality(name, conditions.modalities, "balance")
        labels = list(modality.to_cells(torch.arange(modality.num_outcomes or 0)))
        allowed = conditions.outcomes(name)
        kept = [label for label, is_kept in zip(labels, allowed, strict=True) if is_kept]
        wanted[name] = dict.fromkeys(kept, 1.0 / len(kept))
    for name, given in (shares or {}).items():
        if name in wanted:
            raise UsageError(f"Column {name!r} is in both balance and shares: leave it out of one.")
        wanted[name] = _checked(name, _modality(name, conditions.modalities, "shares"), given)
    generator = np.random.default_rng(seed)
    assigned = {}
    for name, parts in wanted.items():
        cells = np.empty(n, dtype=object)
        cells[:] = np.repeat(np.array([*parts, None], dtype=object)[:-1], _counts(n, list(parts.values())))
        assigned[name] = cells[generator.permutation(n)]
    return assigned


def _modality(name: str, modalities: Mapping[str, Modality], argument: str) -> Modality:
    if name not in modalities:
        raise UsageError(
            f"{argument}: the model has no column {name!r}. Choose from {', '.join(modalities)}."
        )
    if modalities[name].num_outcomes is None:
        raise UsageError(f"{argument}: column {name!r} has no labels.")
    return modalities[name]


def _checked(name: str, modality: Modality, given: Mapping[Any, float]) -> dict[Any, float]:
    """Shares by the column's own labels."""
    try:
        codes = modality.to_tensor(pd.Series(list(given), dtype=object), None)
    except BadCells as problem:
        raise UsageError(f"shares: column {name!r}: {next(iter(problem.reasons.values()))}.") from problem
    found = dict(zip(modality.to_cells(codes), (float(share) for share in given.values()), strict=True))
    if not all(share >= 0 for share in found.values()) or abs(sum(found.values()) - 1.0) > _ROUNDING:
        raise UsageError(
            f"shares: those of column {name!r} sum to {sum(found.values()):g}: give shares from 0 up that sum to 1."
        )
    return found


def _counts(n: int, shares: Sequence[float]) -> NDArray[np.int64]:
    """Whole numbers that sum to n, as near to the shares as can be (largest remainders).

    Example:
        >>> _counts(10, [0.5, 0.25, 0.25]).tolist()
        [5, 3, 2]
    """
    exact = n * np.array(shares) / sum(shares)
    counts = np.floor(exact + _ROUNDING).astype(np.int64)
    order = np.argsort(-(exact - counts), kind="stable")
    counts[order[: n - counts.sum()]] += 1
    return counts
