"""Supervised baselines of completion: scikit-learn models, each fitted for its column."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor

from amodal.metrics.feature_blocks import FeatureBlock

Predict = Callable[[bool, FeatureBlock, NDArray[Any]], NDArray[Any]]
"""(whether labels are predicted, inputs of the known and of the other rows, known values (N,)) -> values (M,)."""

_NEIGHBOURS = 5
_RIDGE = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0)
_LOGISTIC = (1.0, 10.0, 100.0)
_FEW_LABELS = 20
_LEAST_TO_CHOOSE = 50
_MOST_TREES = 2_000


def predict_nearest(is_label: bool, inputs: FeatureBlock, known: NDArray[Any]) -> NDArray[Any]:
    """The mean number or most frequent label of the 5 nearest rows."""
    kind = KNeighborsClassifier if is_label else KNeighborsRegressor
    model = kind(min(_NEIGHBOURS, len(known))).fit(inputs.dense[0], known)
    return np.asarray(model.predict(inputs.dense[1]))


def predict_linear(is_label: bool, inputs: FeatureBlock, known: NDArray[Any]) -> NDArray[Any]:
    """Logistic or ridge regression, regularised as is best on a fifth of the rows."""
    mean, scale = (0.0, 1.0) if is_label else (known.mean(), known.std() or 1.0)
    if is_label:
        few = len(np.unique(known)) <= _FEW_LABELS
        make: Callable[[float], Any] = _logistic
        choices: tuple[float, ...] = _LOGISTIC if few else _LOGISTIC[1:2]
        target = known
    else:
        make, choices, target = _ridge, _RIDGE, (known - mean) / scale
    best = choices[-1]
    if len(known) >= _LEAST_TO_CHOOSE and len(choices) > 1:
        one, other = train_test_split(np.arange(len(known)), test_size=0.2, random_state=0)
        if len(np.unique(target[one])) > 1:
            tried = {
                choice: _fitted(make(choice), inputs.wide[0][one], target[one]).score(
                    inputs.wide[0][other], target[other]
                )
                for choice in choices
            }
            best = max(tried, key=tried.__getitem__)
    predicted = _fitted(make(best), inputs.wide[0], target).predict(inputs.wide[1])
    return np.asarray(predicted if is_label else predicted * scale + mean)


def predict_boosting(
    is_label: bool, inputs: FeatureBlock, known: NDArray[Any], *, max_trees: int = _MOST_TREES
) -> NDArray[Any]:
    """Gradient boosting (`HistGradientBoosting`).

    Args:
        is_label: whether labels are predicted.
        inputs: of the known and of the other rows.
        known: values (N,) of the known rows.
        max_trees: of all turns, each of which has a tree a label.
    """
    if not is_label:
        model: Any = HistGradientBoostingRegressor(
            max_iter=min(200, max_trees), learning_rate=0.06, random_state=0
        )
    else:
        turns = min(100, max(10, max_trees // len(np.unique(known))))
        model = HistGradientBoostingClassifier(max_iter=turns, max_features=0.5, random_state=0)
    return np.asarray(model.fit(inputs.dense[0], known).predict(inputs.dense[1]))


def _ridge(strength: float) -> Ridge:
    return Ridge(strength, solver="sparse_cg", tol=1e-4)


def _logistic(softness: float) -> LogisticRegression:
    return LogisticRegression(C=softness, max_iter=200, tol=1e-3)


def _fitted(model: Any, inputs: sparse.csr_matrix, target: NDArray[Any]) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(inputs, target)
