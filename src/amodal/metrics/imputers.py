"""Simple imputers, which a model's completion is compared with."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.experimental import enable_iterative_imputer  # noqa: F401  (makes the next line possible)
from sklearn.impute import IterativeImputer
from sklearn.neighbors import NearestNeighbors
from torch import Tensor

from amodal.metrics.by_type import NumberMetrics, column_metrics
from amodal.metrics.estimate import MetricUnavailable, need_rows
from amodal.metrics.feature_blocks import FeatureBlock
from amodal.metrics.sampling import subsample
from amodal.metrics.supervised import Predict
from amodal.metrics.vectorizers import Cells
from amodal.modalities import Modality

_NEIGHBOURS = 5


def impute_typical(modality: Modality, real: Cells, rows: int) -> Cells:
    """The same cell in each row: the mean of numbers, images and sounds, the most frequent label or text.

    Args:
        modality: the column's.
        real: present cells of real rows, scaled, or texts as the table has them: (N, ...).
        rows: how many cells to fill.

    Returns:
        (rows, ...), as `real`.

    Raises:
        MetricUnavailable: there is no real cell.
    """
    need_rows(len(real), 1, "real cells")
    typical: Cells = column_metrics(modality).typical(real)
    if not isinstance(typical, Tensor):
        return np.repeat(typical, rows)
    return typical.expand(rows, *typical.shape[1:])


def impute_nearest(
    modality: Modality, real: Cells, real_given: NDArray[Any], given: NDArray[Any], *, seed: int = 0
) -> Cells:
    """The mean number or most frequent label of the 5 nearest real rows; else the nearest row's cell.

    Source: Troyanskaya et al., "Missing value estimation methods for DNA microarrays", Bioinformatics 2001.

    Args:
        modality: the column's.
        real: present cells of real rows, scaled, or texts as the table has them: (N, ...).
        real_given: (N, F), vectors of these rows' given cells, 0 where missing.
        given: (M, F), those of the rows to fill.
        seed: of the subsample of up to 2,000 real rows.

    Returns:
        (M, ...), as `real`.

    Raises:
        MetricUnavailable: there are fewer than 5 real cells.
    """
    need_rows(len(real), _NEIGHBOURS, "real cells")
    rows = subsample(len(real), seed)
    index = NearestNeighbors(n_neighbors=_NEIGHBOURS).fit(real_given[rows])
    nearest = rows[index.kneighbors(given, return_distance=False)]
    imputed: Cells = column_metrics(modality).consensus(real[nearest])[0]
    return imputed


def impute_iterative(
    modality: Modality, real: Tensor, real_given: NDArray[Any], given: NDArray[Any], *, seed: int = 0
) -> Tensor:
    """Numbers and labels by scikit-learn's `IterativeImputer`: each column regressed on the others, in turns.

    Source: van Buuren & Groothuis-Oudshoorn, "mice: multivariate imputation by chained equations", JSS 2011.

    Args:
        modality: the column's.
        real: present cells of real rows, scaled: (N,).
        real_given: (N, F), vectors of the numbers and categories given in these rows, NaN where missing.
        given: (M, F), those of the rows to fill.
        seed: of the subsample of up to 2,000 real rows.

    Returns:
        (M,), scaled.

    Raises:
        MetricUnavailable: the column is neither of numbers nor of categories, no such column is given, or there are
            fewer than 10 real cells.
    """
    column = column_metrics(modality)
    if not column.is_scalar:
        raise MetricUnavailable(
            f"IterativeImputer takes numbers and categories, and this is a column of type {modality.type}"
        )
    if real_given.shape[1] == 0:
        raise MetricUnavailable("IterativeImputer takes numbers and categories, and none is given")
    need_rows(len(real), 10, "real cells")
    rows = subsample(len(real), seed)
    if isinstance(column, NumberMetrics):
        return column.scaled(_regressed(column.values(real[rows]), real_given[rows], given, seed))
    # One label at a time: of several, which sum to one, each would be regressed on the others, hidden too.
    labels = modality.features(real[rows]).numpy().astype(np.float64)
    scores = np.stack([_regressed(label, real_given[rows], given, seed) for label in labels.T], axis=1)
    return torch.from_numpy(scores.argmax(axis=1))


def impute_supervised(modality: Modality, real: Tensor, inputs: FeatureBlock, predict: Predict) -> Tensor:
    """Numbers and labels by a scikit-learn model that is fitted for the column.

    Args:
        modality: the column's.
        real: present cells of real rows, scaled: (N,).
        inputs: features of the other columns, of these rows and of the rows to fill.
        predict: a model of `amodal.metrics.supervised`.

    Returns:
        (M,), scaled.

    Raises:
        MetricUnavailable: the column is neither of numbers nor of categories, there are fewer than 10 real cells, or
            all are the same.
    """
    column = column_metrics(modality)
    if not column.is_scalar:
        raise MetricUnavailable(
            f"supervised models predict numbers and categories, and this is a column of type {modality.type}"
        )
    need_rows(len(real), 10, "real cells")
    known = column.values(real)
    if len(np.unique(known)) < 2:
        raise MetricUnavailable("all real cells are the same")
    found = predict(column.is_categorical, inputs, known)
    return column.scaled(found) if isinstance(column, NumberMetrics) else torch.from_numpy(found)


def _regressed(
    known: NDArray[np.float64], real_given: NDArray[Any], given: NDArray[Any], seed: int
) -> NDArray[np.float64]:
    """Imputed numbers (M,) for given vectors (M, F), from known ones (N,) with theirs (N, F)."""
    # Standardised as vectors are, since the imputer has one tolerance for all columns.
    mean, scale = known.mean(), known.std() or 1.0
    imputer = IterativeImputer(random_state=seed, keep_empty_features=True)
    hidden = np.full((len(given), 1), np.nan)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        imputer.fit(np.hstack([real_given, (known[:, None] - mean) / scale]))
        filled = imputer.transform(np.hstack([given, hidden]))
    return np.asarray(filled[:, -1] * scale + mean)
