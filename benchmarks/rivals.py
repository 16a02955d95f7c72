"""scikit-learn pipelines, each fitted for one column of a real table, as baselines of completion."""

from __future__ import annotations

import numpy as np
import pandas as pd

from amodal.metrics.supervised import Predict, predict_boosting, predict_linear, predict_nearest
from benchmarks.completion_scores import as_label, crps, r2
from benchmarks.peer import kept
from benchmarks.real_table import RealTable
from benchmarks.table_features import TableFeatures

# The number changes with the features, the pipelines or their scores, so that cached figures are not mixed.
_VERSION = 2

BASE = "base"


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
    inputs = features.without(column).rows(*present)
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


_FIT: dict[str, Predict] = {
    "nearest": predict_nearest,
    "linear": predict_linear,
    "boosting": predict_boosting,
}
RIVALS = tuple(_FIT)
