"""Completion without a model: what a model's completion stands beside."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.experimental import enable_iterative_imputer  # noqa: F401  (makes the next line possible)
from sklearn.impute import IterativeImputer
from sklearn.neighbors import NearestNeighbors
from torch import Tensor

from amodal.metrics.estimate import LeftOut, need_rows
from amodal.metrics.sampling import subsample
from amodal.modalities import Modality

_NEIGHBOURS = 5


def fill_typical(modality: Modality, real: Tensor, rows: int) -> Tensor:
    """The same cell in each row: the mean of numbers, pictures and sounds, the most frequent label or text.

    Args:
        modality: the column's.
        real: present cells of real rows, scaled: (N, ...).
        rows: how many cells to fill.

    Returns:
        (rows, ...), scaled.

    Raises:
        LeftOut: there is no real cell.
    """
    need_rows(len(real), 1, "real cells")
    if modality.type == "number":
        typical = _numbers(modality, np.mean(modality.to_cells(real), keepdims=True))
    elif modality.suffix is not None:
        typical = real.float().mean(dim=0, keepdim=True)
    else:
        values, counts = torch.unique(real, dim=0, return_counts=True)
        typical = values[counts.argmax()][None]
    return typical.expand(rows, *typical.shape[1:])


def fill_nearest(
    modality: Modality, real: Tensor, real_given: NDArray[Any], given: NDArray[Any], *, seed: int = 0
) -> Tensor:
    """The mean number or most frequent label of the 5 real rows nearest in what is given; else the nearest row's cell.

    Source: Troyanskaya et al., "Missing value estimation methods for DNA microarrays", Bioinformatics 2001.

    Args:
        modality: the column's.
        real: present cells of real rows, scaled: (N, ...).
        real_given: (N, F), vectors of what these rows are given, 0 where it is missing.
        given: (M, F), those of the rows to fill.
        seed: of the subsample of up to 2,000 real rows.

    Returns:
        (M, ...), scaled.

    Raises:
        LeftOut: there are fewer than 5 real cells.
    """
    need_rows(len(real), _NEIGHBOURS, "real cells")
    rows = subsample(len(real), seed)
    index = NearestNeighbors(n_neighbors=_NEIGHBOURS).fit(real_given[rows])
    nearest = rows[index.kneighbors(given, return_distance=False)]
    if modality.type == "number":
        return _numbers(modality, np.array(modality.to_cells(real), np.float64)[nearest].mean(axis=1))
    if modality.type == "category":
        return real[torch.from_numpy(nearest)].mode(dim=1).values
    return real[torch.from_numpy(nearest[:, 0])]


def fill_iteratively(
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
        LeftOut: the column is neither of numbers nor of categories, no such column is given, or there are fewer
            than 10 real cells.
    """
    if modality.type not in ("number", "category"):
        raise LeftOut(
            f"IterativeImputer takes numbers and categories, and this is a column of type {modality.type}"
        )
    if real_given.shape[1] == 0:
        raise LeftOut("IterativeImputer takes numbers and categories, and none is given")
    need_rows(len(real), 10, "real cells")
    rows = subsample(len(real), seed)
    if modality.type == "number":
        known = np.array(modality.to_cells(real[rows]), np.float64)
        return _numbers(modality, _imputed(known, real_given[rows], given, seed))
    # Each label on its own: of several, that sum to one, each would be read off the others, which are hidden too.
    labels = modality.features(real[rows]).numpy().astype(np.float64)
    likely = np.stack([_imputed(label, real_given[rows], given, seed) for label in labels.T], axis=1)
    return torch.from_numpy(likely.argmax(axis=1))


def _imputed(
    known: NDArray[np.float64], real_given: NDArray[Any], given: NDArray[Any], seed: int
) -> NDArray[np.float64]:
    """Hidden numbers (M,) of what is given (M, F), from known ones (N,) of what is given with them (N, F)."""
    # Scaled as vectors are: the imputer's tolerance is one for all columns.
    mean, spread = known.mean(), known.std() or 1.0
    imputer = IterativeImputer(random_state=seed, keep_empty_features=True)
    hidden = np.full((len(given), 1), np.nan)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        imputer.fit(np.hstack([real_given, (known[:, None] - mean) / spread]))
        filled = imputer.transform(np.hstack([given, hidden]))
    return np.asarray(filled[:, -1] * spread + mean)


def _numbers(modality: Modality, values: NDArray[Any]) -> Tensor:
    return modality.scale(modality.to_tensor(pd.Series(values), None))
