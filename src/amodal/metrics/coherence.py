"""Coherence: the share of generated cells that a classifier of real cells assigns the right class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.svm import SVC

from amodal.metrics.estimate import Estimate, MetricUnavailable, need_rows
from amodal.metrics.sampling import proportion, subsample

_LEAST = 20
_REGULARIZATION = 10.0


@dataclass(frozen=True)
class ColumnClassifier:
    """Predicts the label of a target column from the cells of another.

    Attributes:
        classifier: a fitted one of scikit-learn's.
        accuracy: on real rows that it was not trained on, the ceiling of coherence.
    """

    classifier: Any
    accuracy: Estimate

    def __call__(self, vectors: NDArray[Any]) -> NDArray[Any]:
        """Labels (N,) of vectors (N, F)."""
        return np.asarray(self.classifier.predict(vectors))


def fit_classifier(
    real: NDArray[Any],
    labels: NDArray[Any],
    heldout: NDArray[Any],
    heldout_labels: NDArray[Any],
    *,
    seed: int = 0,
) -> ColumnClassifier:
    """Train a classifier on real rows, up to 2,000, and test it on others.

    A support vector machine with a Gaussian kernel (Cortes & Vapnik, 1995).

    Args:
        real: (N, F), vectors of one column's present cells.
        labels: (N,), the same rows' labels.
        heldout: (M, F), of rows that are not among those.
        heldout_labels: (M,); a label that is not in `labels` counts as misclassified.
        seed: of the subsample.

    Raises:
        MetricUnavailable: fewer than 20 rows of either, or one label alone.
    """
    need_rows(len(real), _LEAST, "real rows with both cells")
    need_rows(len(heldout), _LEAST, "held-out rows with both cells")
    rows = subsample(len(real), seed)
    if len(np.unique(labels[rows])) < 2:
        raise MetricUnavailable("all real rows have the same label")
    classifier = SVC(C=_REGULARIZATION).fit(real[rows], labels[rows])
    tested = subsample(len(heldout), seed)
    hits = classifier.predict(heldout[tested]) == heldout_labels[tested]
    return ColumnClassifier(classifier, proportion(hits, subsampled=len(heldout) > len(tested)))


def conditional_coherence(
    classifier: ColumnClassifier, vectors: NDArray[Any], labels: NDArray[Any]
) -> Estimate:
    """Share of generated cells, as vectors (N, F), of the class (N,) that they were generated for.

    Source: the cross coherence of Shi et al., "Variational mixture-of-experts autoencoders for multi-modal deep
    generative models", NeurIPS 2019; compare with the classifier's accuracy.

    Raises:
        MetricUnavailable: fewer than 20 cells.
    """
    need_rows(len(vectors), _LEAST, "generated cells")
    rows = subsample(len(vectors))
    return proportion(classifier(vectors[rows]) == labels[rows], subsampled=len(vectors) > len(rows))


def joint_coherence(predicted: Sequence[NDArray[Any]]) -> Estimate:
    """Share of rows that all classifiers assign the same class.

    Source: the joint coherence of Shi et al., NeurIPS 2019.

    Args:
        predicted: of each column, the labels (N,) that its classifier predicts.

    Raises:
        MetricUnavailable: fewer than 20 rows, or fewer than 2 columns.
    """
    if len(predicted) < 2:
        raise MetricUnavailable("it needs at least 2 classified columns")
    need_rows(len(predicted[0]), _LEAST, "generated rows")
    return proportion(np.all([labels == predicted[0] for labels in predicted[1:]], axis=0))
