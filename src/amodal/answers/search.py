"""Exact nearest rows by their embeddings."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from amodal.batch import Batch
from amodal.errors import UsageError
from amodal.inference import embed
from amodal.models import GenerativeModel
from amodal.table import row_number


def search_rows(
    model: GenerativeModel, queries: Batch, rows: Batch, columns: Sequence[str] | None, k: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The k nearest of N rows to each of Q queries, nearest first, and their distances, (Q, k).

    The distance is the Euclidean one between embeddings. Those of the rows use the same columns as the query's: each
    query that has other cells is compared with the rows' embeddings of these columns.

    Args:
        model: fitted model.
        queries: Q rows.
        rows: N rows.
        columns: compare by these columns' cells; by default by all cells that a query has.
        k: rows to find; all where there are fewer.

    Raises:
        UsageError: k is below 1, or a query has no cell in the columns.
    """
    # Takes a second to import, which no other answer needs.
    from sklearn.neighbors import NearestNeighbors

    if k < 1:
        raise UsageError(f"k must be at least 1, not {k}.")
    k = min(k, len(rows))
    queries = queries if columns is None else queries.given(columns)
    patterns, kinds = np.unique(queries.present.numpy(), axis=0, return_inverse=True)
    numbers = np.zeros((len(queries), k), dtype=np.int64)
    distances = np.zeros((len(queries), k))
    for kind, pattern in enumerate(patterns):
        if not pattern.any():
            where = " in " + ", ".join(columns) if columns else ""
            first = row_number(int(np.flatnonzero(kinds.ravel() == kind)[0]))
            raise UsageError(f"Query {first} has no cell{where} to search by.")
        used = [name for name, is_used in zip(queries.columns, pattern, strict=True) if is_used]
        places = np.flatnonzero(kinds.ravel() == kind)
        finder = NearestNeighbors(n_neighbors=k, algorithm="brute").fit(
            embed(model, rows.given(used)).astype(np.float64)
        )
        distances[places], numbers[places] = finder.kneighbors(
            embed(model, queries[places]).astype(np.float64)
        )
    return numbers, distances


def search_table(
    numbers: NDArray[np.int64], distances: NDArray[np.float64], index: pd.Index, num_queries: int
) -> pd.DataFrame:
    """One line for each row found: `query` and `row`, numbered from 1, and `distance`; the index is the rows' own."""
    k = numbers.shape[1]
    return pd.DataFrame(
        {
            "query": np.repeat(np.arange(1, num_queries + 1), k),
            "row": numbers.ravel() + 1,
            "distance": distances.ravel(),
        },
        index=index[numbers.ravel()],
    )
