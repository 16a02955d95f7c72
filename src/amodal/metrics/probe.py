"""A target's cells as they are predicted: a linear model's answers, and how they are scored."""

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
from torch import Tensor

from amodal.batch import Batch
from amodal.metrics.estimate import LeftOut
from amodal.modalities import Modality

Measure = Literal["accuracy", "R2"]

_FOLDS = 5
_SOFTNESS = 0.1
_STRENGTHS = tuple(10.0**power for power in range(-1, 5))


@dataclass(frozen=True)
class Truth:
    """The real cells of a target column of categories or numbers.

    Attributes:
        modality: the column's.
        cells: (N,): labels' numbers, or numbers in the column's own unit.
    """

    modality: Modality
    cells: NDArray[Any]

    @classmethod
    def of(cls, modality: Modality, rows: Batch, target: str) -> Self:
        """The cells of the target in stored rows, all of which have it.

        Raises:
            LeftOut: it is no column of categories or numbers, or has nothing to tell apart.
        """
        if modality.type not in ("category", "number"):
            raise LeftOut(f"{target!r} is of type {modality.type}, and a target is a category or a number")
        truth = cls(modality, cls(modality, np.empty(0)).values(modality.scale(rows.x[target])))
        if truth.is_label and np.sum(np.bincount(truth.cells) >= _FOLDS) < 2:
            raise LeftOut(f"fewer than two labels of {target!r} have {_FOLDS} rows")
        if not truth.is_label and np.ptp(truth.cells) == 0:
            raise LeftOut(f"all numbers of {target!r} are the same")
        return truth

    def __len__(self) -> int:
        return len(self.cells)

    @property
    def is_label(self) -> bool:
        """Whether it is a category and not a number."""
        return self.modality.type == "category"

    @property
    def measure(self) -> Measure:
        """What predictions are scored by."""
        return "accuracy" if self.is_label else "R2"

    def values(self, cells: Tensor) -> NDArray[Any]:
        """Scaled cells (N,) as `cells` has them."""
        return cells.numpy() if self.is_label else np.array(self.modality.to_cells(cells), np.float64)

    @property
    def typical(self) -> NDArray[Any]:
        """(N,), what is best answered without a look at the row: the most frequent label, or the mean."""
        answer = np.bincount(self.cells).argmax() if self.is_label else self.cells.mean()
        return np.full(len(self.cells), answer)

    def consensus(self, draws: NDArray[Any]) -> NDArray[Any]:
        """(N,), the most frequent label or the mean number of (draws, N)."""
        if not self.is_label:
            return draws.mean(axis=0)
        votes = (draws[:, :, None] == np.arange(draws.max() + 1)).sum(axis=0)
        return np.asarray(votes.argmax(axis=1))

    def probe(self, vectors: NDArray[Any], seed: int) -> NDArray[Any]:
        """(N,), what a linear model answers for vectors (N, F), which it learned from the other four folds.

        Logistic regression on standardised vectors for labels; ridge regression, its strength chosen by
        generalised cross-validation within the folds, for numbers.
        """
        if not self.is_label:
            regression = make_pipeline(StandardScaler(), RidgeCV(_STRENGTHS))
            return cross_val_predict(
                regression, vectors, self.cells, cv=KFold(_FOLDS, shuffle=True, random_state=seed)
            )
        classifier = make_pipeline(StandardScaler(), LogisticRegression(C=_SOFTNESS, max_iter=1_000))
        folds = StratifiedKFold(_FOLDS, shuffle=True, random_state=seed)
        with warnings.catch_warnings():
            # Labels of fewer rows than folds are in some folds only: they are predicted wrong there.
            warnings.filterwarnings("ignore", "The least populated class", UserWarning)
            return cross_val_predict(classifier, vectors, self.cells, cv=folds)

    def losses(self, answers: NDArray[Any]) -> NDArray[np.float64]:
        """(N,), 1 for a wrong label, or a number's squared error."""
        apart = answers != self.cells if self.is_label else np.square(answers - self.cells)
        return np.asarray(apart, np.float64)

    def score(self, losses: NDArray[np.float64]) -> Callable[[NDArray[Any]], float]:
        """The measure of these losses as a statistic of rows."""
        return lambda rows: float(1 - losses[rows].mean() / self._most(rows))

    def gain(
        self, losses: NDArray[np.float64], other: NDArray[np.float64]
    ) -> Callable[[NDArray[Any]], float]:
        """How much higher the measure is of these losses than of others, as a statistic of rows."""
        return lambda rows: float((other[rows] - losses[rows]).mean() / self._most(rows))

    def _most(self, rows: NDArray[Any]) -> float:
        return 1.0 if self.is_label else float(np.square(self.cells[rows] - self.cells.mean()).mean())
