"""Linear probes of a target column, and scores of its predictions."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.model_selection import KFold, StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from amodal.batch import Batch
from amodal.metrics.by_type import ColumnMetrics, column_metrics
from amodal.metrics.estimate import MetricUnavailable
from amodal.modalities import Modality

TargetMetric = Literal["accuracy", "R2"]

_FOLDS = 5
_REGULARIZATION = 0.1
_ALPHAS = tuple(10.0**power for power in range(-1, 5))


@dataclass(frozen=True)
class Target:
    """Real cells of a target column of categories or numbers.

    Attributes:
        column: the entry of its type.
        values: (N,), label indices, or numbers in the column's own unit.
    """

    column: ColumnMetrics
    values: NDArray[Any]

    @classmethod
    def of_rows(cls, modality: Modality, rows: Batch, name: str) -> Self:
        """The column's cells in stored rows, all of which have it.

        Raises:
            MetricUnavailable: its cells are neither categories nor numbers, or nearly constant.
        """
        column = column_metrics(modality)
        if not column.is_scalar:
            raise MetricUnavailable(
                f"{name!r} is of type {modality.type}, and a target is a category or a number"
            )
        values = column.values(modality.scale(rows.x[name]))
        if column.is_categorical and np.sum(np.bincount(values) >= _FOLDS) < 2:
            raise MetricUnavailable(f"fewer than two labels of {name!r} have {_FOLDS} rows")
        if column.is_numeric and np.ptp(values) == 0:
            raise MetricUnavailable(f"all numbers of {name!r} are the same")
        return cls(column, values)

    def __len__(self) -> int:
        return len(self.values)

    @property
    def is_label(self) -> bool:
        """True where it is classified, not regressed."""
        return self.column.is_categorical

    @property
    def metric(self) -> TargetMetric:
        """The metric of its predictions."""
        return "accuracy" if self.is_label else "R2"

    @property
    def constant_prediction(self) -> NDArray[Any]:
        """(N,), the best prediction without features: the most frequent label, or the mean."""
        constant = np.bincount(self.values).argmax() if self.is_label else self.values.mean()
        return np.full(len(self.values), constant)

    def consensus(self, draws: NDArray[Any]) -> NDArray[Any]:
        """(N,), the most frequent label or the mean number of (draws, N)."""
        if not self.is_label:
            return draws.mean(axis=0)
        votes = (draws[:, :, None] == np.arange(draws.max() + 1)).sum(axis=0)
        return np.asarray(votes.argmax(axis=1))

    def probe(self, vectors: NDArray[Any], seed: int) -> NDArray[Any]:
        """(N,), predictions of a linear model of vectors (N, F), cross-validated in 5 folds.

        Logistic regression on standardised vectors for labels; ridge regression, its strength chosen by
        generalised cross-validation within the folds, for numbers.
        """
        if not self.is_label:
            regression = make_pipeline(StandardScaler(), RidgeCV(_ALPHAS))
            folds = KFold(_FOLDS, shuffle=True, random_state=seed)
            return cross_val_predict(regression, vectors, self.values, cv=folds)
        classifier = make_pipeline(StandardScaler(), LogisticRegression(C=_REGULARIZATION, max_iter=1_000))
        folds = StratifiedKFold(_FOLDS, shuffle=True, random_state=seed)
        with warnings.catch_warnings():
            # Labels of fewer rows than folds are in some folds only: they are misclassified there.
            warnings.filterwarnings("ignore", "The least populated class", UserWarning)
            return cross_val_predict(classifier, vectors, self.values, cv=folds)

    def losses(self, predictions: NDArray[Any]) -> NDArray[np.float64]:
        """(N,), 1 for a wrong label, or a number's squared error."""
        errors = predictions != self.values if self.is_label else np.square(predictions - self.values)
        return np.asarray(errors, np.float64)

    def score(self, losses: NDArray[np.float64]) -> Callable[[NDArray[Any]], float]:
        """The metric of these losses as a statistic of rows."""
        return lambda rows: float(1 - losses[rows].mean() / self._variance(rows))

    def gain(
        self, losses: NDArray[np.float64], other: NDArray[np.float64]
    ) -> Callable[[NDArray[Any]], float]:
        """The metric of these losses minus that of others, as a statistic of rows."""
        return lambda rows: float((other[rows] - losses[rows]).mean() / self._variance(rows))

    def _variance(self, rows: NDArray[Any]) -> float:
        return 1.0 if self.is_label else float(np.square(self.values[rows] - self.values.mean()).mean())
