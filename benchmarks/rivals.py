"""scikit-learn pipelines, each fitted for one column of a real table, as baselines of completion."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor

from benchmarks.completion_scores import as_label, crps, r2
from benchmarks.peer import kept
from benchmarks.real_table import RealTable
from benchmarks.table_features import Block, TableFeatures

# The number changes with the features, the pipelines or their scores, so that cached figures are not mixed.
_VERSION = 2

BASE = "base"

_NEIGHBOURS = 5
_RIDGE = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0)
_LOGISTIC = (1.0, 10.0, 100.0)
_FEW_LABELS = 20
_LEAST_TO_CHOOSE = 50

Scores = dict[str, dict[str, float]]


def rivals(table: RealTable, features: TableFeatures, column: str) -> Scores:
    """The scores of a column's rivals on the held-out rows that have its cell; kept in the table's folder.

    They are the majority label or the median ("base"), the 5 nearest rows, logistic or ridge regression ("linear") and
    gradient boosting. "score" is accuracy or R2; numbers have "mae", and the base has the "crps" of the training
    rows' own numbers.
    """
    depends = {
        "version": _VERSION,
        "content": table.content,
        "rows": len(table.training),
        "judged": len(table.heldout),
        "column": column,
    }
    return kept(table.folder, "rivals", depends, lambda: fit_rivals(table, features, column))


def fit_rivals(table: RealTable, features: TableFeatures, column: str) -> Scores:
    """Fit a column's rivals and score them; see `rivals`."""
    cells = [_values(table, part[column], column) for part in (table.training, table.heldout)]
    present = [part.notna().to_numpy() for part in cells]
    known, truth = (part[mask].to_numpy() for part, mask in zip(cells, present, strict=True))
    label = table.kinds[column] == "label"
    base = pd.Series(known).mode().iloc[0] if label else np.median(known)
    scores = {BASE: _score(label, truth, np.full(len(truth), base))}
    if not label:
        # Two hundred quantiles stand for all training rows, whose number times that of held-out ones is large.
        draws = np.quantile(known, (np.arange(200) + 0.5) / 200)
        scores[BASE]["crps"] = crps(truth, np.tile(draws, (len(truth), 1)))
    if len(np.unique(known)) < 2:
        return scores
    every = features.without(column)
    inputs = Block(
        (every.wide[0][present[0]], every.wide[1][present[1]]),
        (every.dense[0][present[0]], every.dense[1][present[1]]),
    )
    for name, fit in _FIT.items():
        scores[name] = _score(label, truth, fit(label, inputs, known))
    return scores


def _values(table: RealTable, cells: pd.Series, column: str) -> pd.Series:
    if table.kinds[column] == "number":
        return pd.to_numeric(cells, errors="coerce")
    return cells.map(as_label, na_action="ignore")


def _score(label: bool, truth: np.ndarray, predicted: np.ndarray) -> dict[str, float]:
    if label:
        return {"score": float((truth == predicted).mean())}
    return {"score": r2(truth, predicted), "mae": float(np.abs(truth - predicted).mean())}


def _nearest(label: bool, inputs: Block, known: np.ndarray) -> np.ndarray:
    kind = KNeighborsClassifier if label else KNeighborsRegressor
    return kind(min(_NEIGHBOURS, len(known))).fit(inputs.dense[0], known).predict(inputs.dense[1])


def _linear(label: bool, inputs: Block, known: np.ndarray) -> np.ndarray:
    """Regularised as is best on a fifth of the rows."""
    if not label:
        scale, mean = known.std(), known.mean()
        make, choices, target = _ridge, _RIDGE, (known - mean) / scale
    else:
        few = len(np.unique(known)) <= _FEW_LABELS
        make, choices, target = _logistic, _LOGISTIC if few else _LOGISTIC[1:2], known
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
    return predicted if label else predicted * scale + mean


def _ridge(strength: float) -> Ridge:
    return Ridge(strength, solver="sparse_cg", tol=1e-4)


def _logistic(softness: float) -> LogisticRegression:
    return LogisticRegression(C=softness, max_iter=200, tol=1e-3)


def _fitted(model: Any, inputs: Any, target: np.ndarray) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(inputs, target)


def _boosting(label: bool, inputs: Block, known: np.ndarray) -> np.ndarray:
    if not label:
        model: Any = HistGradientBoostingRegressor(max_iter=200, learning_rate=0.06, random_state=0)
    else:
        # A tree a label and turn: many labels have fewer turns, that it ends in minutes.
        labels = len(np.unique(known))
        turns = 100 if labels <= _FEW_LABELS else max(10, 100 * _FEW_LABELS // labels)
        model = HistGradientBoostingClassifier(max_iter=turns, max_features=0.5, random_state=0)
    return model.fit(inputs.dense[0], known).predict(inputs.dense[1])


_FIT: dict[str, Callable[[bool, Block, np.ndarray], np.ndarray]] = {
    "nearest": _nearest,
    "linear": _linear,
    "boosting": _boosting,
}
RIVALS = tuple(_FIT)
