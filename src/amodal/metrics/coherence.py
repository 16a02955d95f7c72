"""Whether cells say the label that they should, by judges trained on real rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.svm import SVC

from amodal.metrics.estimate import Estimate, MetricUnavailable, need_rows
from amodal.metrics.sampling import share, subsample

_LEAST = 20
_SOFTNESS = 10.0


@dataclass(frozen=True)
class ColumnClassifier:
    """Says which label of a target column the cells of another column show.

    Attributes:
        classifier: a fitted one of scikit-learn's.
        accuracy: its share of right labels on real rows that it was not trained on: a ceiling.
    """

    classifier: Any
    accuracy: Estimate

    def __call__(self, vectors: NDArray[Any]) -> NDArray[Any]:
        """The labels (N,) of vectors (N, F)."""
        return np.asarray(self.classifier.predict(vectors))


def fit_classifier(
    real: NDArray[Any],
    labels: NDArray[Any],
    heldout: NDArray[Any],
    heldout_labels: NDArray[Any],
    *,
    seed: int = 0,
) -> ColumnClassifier:
    """Train a judge on real rows, up to 2,000, and try it on others.

    Source: the coherence accuracy of Shi et al., "Variational mixture-of-experts autoencoders for multi-modal deep
    generative models", NeurIPS 2019, by a support vector machine with a Gaussian kernel (Cortes & Vapnik, 1995).

    Args:
        real: (N, F), vectors of one column's present cells.
        labels: (N,), the same rows' labels.
        heldout: (M, F), of rows that are not among those.
        heldout_labels: (M,); a label that no row of `labels` has is one that the judge gets wrong.
        seed: of the subsample.

    Raises:
        MetricUnavailable: fewer than 20 rows of either, or one label alone.
    """
    need_rows(len(real), _LEAST, "real rows with both cells")
    need_rows(len(heldout), _LEAST, "held-out rows with both cells")
    rows = subsample(len(real), seed)
    if len(np.unique(labels[rows])) < 2:
        raise MetricUnavailable("all real rows have the same label")
    classifier = SVC(C=_SOFTNESS).fit(real[rows], labels[rows])
    tried = subsample(len(heldout), seed)
    right = classifier.predict(heldout[tried]) == heldout_labels[tried]
    return ColumnClassifier(classifier, share(right, subsampled=len(heldout) > len(tried)))


def conditional_coherence(judge: ColumnClassifier, vectors: NDArray[Any], labels: NDArray[Any]) -> Estimate:
    """The share of generated cells, as vectors (N, F), that show the label (N,) they were made for.

    Source: as `fit_classifier`; compare with the judge's own accuracy.

    Raises:
        MetricUnavailable: fewer than 20 cells.
    """
    need_rows(len(vectors), _LEAST, "generated cells")
    rows = subsample(len(vectors))
    return share(judge(vectors[rows]) == labels[rows], subsampled=len(vectors) > len(rows))


def joint_coherence(said: Sequence[NDArray[Any]]) -> Estimate:
    """The share of rows of which all judges say the same label.

    Source: the joint coherence of Shi et al., NeurIPS 2019.

    Args:
        said: of each column, the labels (N,) that its judge says.

    Raises:
        MetricUnavailable: fewer than 20 rows, or fewer than 2 columns.
    """
    if len(said) < 2:
        raise MetricUnavailable("it needs at least 2 judged columns")
    need_rows(len(said[0]), _LEAST, "generated rows")
    return share(np.all([labels == said[0] for labels in said[1:]], axis=0))
