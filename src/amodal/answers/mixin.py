"""The methods of `TableModel` that answer questions about rows."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Hashable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from amodal.answers.predictions import labels, probabilities, quantiles, top_labels
from amodal.answers.scoring import cell_surprises, score_table
from amodal.answers.search import search_rows, search_table
from amodal.batch import Batch
from amodal.inference import encode_table
from amodal.table import ReadOptions, Table, column_name

if TYPE_CHECKING:
    from amodal.persistence import FittedModel

Data = Any
"""A table: the path or address of a file, or a table-like object; see `amodal.table.read_table`."""


class AnswersMixin:
    """Predictions, search and scores of a fitted model."""

    @abstractmethod
    def _fitted(self) -> FittedModel: ...

    @abstractmethod
    def _seed(self, seed: Any) -> int: ...

    @abstractmethod
    def _check_columns(self, names: Iterable[str]) -> None: ...

    @abstractmethod
    def _read(self, data: Any, media_root: str | Path | None, reading: ReadOptions) -> Table: ...

    def predict_proba(
        self, data: Data, column: Hashable, *, media_root: str | Path | None = None, seed: int | None = None
    ) -> pd.DataFrame:
        """Probabilities of a column's labels given the other cells of each row.

        Args:
            data: the rows; see `fit`. The column's own cells are not used.
            column: of labels.
            media_root: the folder that paths in the table are relative to.
            seed: of the latents that a joint latent's mixture is made of; `random_state` by default. `latent-flow`
                computes the probabilities without any.

        Returns:
            A column for each label, with the index of the rows.

        Raises:
            UsageError: the model has no such column, or it has no labels.
        """
        name = column_name(column)
        index, batch = self._rows(data, media_root, [name])
        probs = probabilities(self._fitted().model, batch, name, seed=self._seed(seed))
        return pd.DataFrame(probs, index=index, columns=labels(self._fitted().schema.used[name]))

    def predict_top(
        self,
        data: Data,
        column: Hashable,
        k: int = 3,
        *,
        media_root: str | Path | None = None,
        seed: int | None = None,
    ) -> pd.DataFrame:
        """The k likeliest labels of a column given the other cells of each row.

        Args:
            data: see `predict_proba`.
            column: of labels.
            k: number of labels a row.
            media_root: see `predict_proba`.
            seed: see `predict_proba`.

        Returns:
            k lines a row, likeliest first: `rank`, `cell` and `probability`, with the row's index.
        """
        probs = self.predict_proba(data, column, media_root=media_root, seed=seed)
        return top_labels(probs.to_numpy(), list(probs.columns), k, probs.index)

    def predict_quantiles(
        self,
        data: Data,
        column: Hashable,
        levels: Sequence[float] = (0.1, 0.5, 0.9),
        *,
        media_root: str | Path | None = None,
        seed: int | None = None,
    ) -> pd.DataFrame:
        """Quantiles of a column of numbers given the other cells of each row.

        Args:
            data: see `predict_proba`.
            column: of numbers.
            levels: probabilities between 0 and 1 of a number below the quantile.
            media_root: see `predict_proba`.
            seed: see `predict_proba`.

        Returns:
            A column for each level, with the index of the rows.

        Raises:
            UsageError: the model has no such column, or it holds no numbers.
        """
        name = column_name(column)
        index, batch = self._rows(data, media_root, [name])
        cells = quantiles(self._fitted().model, batch, name, levels, seed=self._seed(seed))
        return pd.DataFrame(dict(zip(levels, cells, strict=True)), index=index)

    def search(
        self,
        query: Data,
        data: Data,
        *,
        columns: Iterable[Hashable] | None = None,
        k: int = 10,
        media_root: str | Path | None = None,
        query_root: str | Path | None = None,
    ) -> pd.DataFrame:
        """The rows nearest to queries, by an image, a sound, a text or any mixture of cells.

        Rows are compared by their embeddings of the cells that a query has; the search is exact.

        Args:
            query: rows with the cells to search by, others missing.
            data: the rows to search.
            columns: compare by these columns alone.
            k: rows to find for each query.
            media_root: the folder that paths in `data` are relative to.
            query_root: the folder that paths in `query` are relative to; `media_root` by default.

        Returns:
            k lines a query, nearest first: `query` and `row`, numbered from 1, and `distance`. The index is that of
            the rows of `data`.

        Raises:
            UsageError: an unknown column, or a query without a cell.
        """
        names = None if columns is None else [column_name(label) for label in columns]
        _, queries = self._rows(query, query_root or media_root, names or [])
        index, rows = self._rows(data, media_root, [])
        numbers, distances = search_rows(self._fitted().model, queries, rows, names, k)
        return search_table(numbers, distances, index, len(queries))

    def score_rows(
        self,
        data: Data,
        *,
        samples: int = 100,
        media_root: str | Path | None = None,
        seed: int | None = None,
    ) -> pd.DataFrame:
        """Surprise of each row and cell given the rest of its row, outliers first.

        Args:
            data: the rows; see `fit`.
            samples: latents drawn for each estimate; see `score_samples`.
            media_root: the folder that paths in the table are relative to.
            seed: of the latents; `random_state` by default.

        Returns:
            `row`, numbered from 1; `surprise`, that of the row's most surprising cell, and `column`, where it is;
            `surprise of COLUMN` for each column. A surprise is -log p(cell | other cells), less the column's median
            and divided by its deviation among these rows.
        """
        index, batch = self._rows(data, media_root, [])
        surprises = cell_surprises(self._fitted().model, batch, num_samples=samples, seed=self._seed(seed))
        return score_table(surprises, list(batch.columns), index)

    def _rows(
        self, data: Data, media_root: str | Path | None, columns: Iterable[str]
    ) -> tuple[pd.Index, Batch]:
        """The index of rows, and the rows as tensors; checks names of columns."""
        fitted = self._fitted()
        self._check_columns(columns)
        table = self._read(data, media_root, ReadOptions())
        index = data.index if isinstance(data, pd.DataFrame) else table.frame.index
        return index, encode_table(fitted.model, table)
