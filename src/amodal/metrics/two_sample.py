"""Classifier two-sample test of generated against real rows."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from amodal.metrics.estimate import Estimate, need_both
from amodal.metrics.sampling import MOST_ROWS, bootstrap, subsample

_LEAST = 50
_FOLDS = 5


def detection_auc(real: NDArray[Any], generated: NDArray[Any], *, seed: int = 0) -> Estimate:
    """Area under the ROC curve of a classifier of real and generated rows: 0.5 by chance, lower is better.

    Boosted trees, cross-validated in 5 folds. Rows must have the same missingness, see `with_holes_of`, and no cell
    in common: a cell that is real in one fold and generated in another misleads the classifier below 0.5. Vectors
    should include `match_scores`, since trees need many rows to learn dependences between columns.

    Source: the classifier two-sample test, Lopez-Paz & Oquab, "Revisiting classifier two-sample tests", ICLR 2017.

    Args:
        real: (N, F), not rows that features or model were fitted to.
        generated: (M, F).
        seed: of folds, interval, and the subsample of up to 1,000 rows of each.

    Raises:
        MetricUnavailable: fewer than 50 rows of either.
    """
    rows = min(need_both(real, generated, _LEAST, "rows"), MOST_ROWS // 2)
    vectors = np.concatenate([part[subsample(len(part), seed, rows)] for part in (real, generated)])
    labels = np.repeat([0, 1], rows)
    classifier = HistGradientBoostingClassifier(
        max_iter=50, max_leaf_nodes=8, max_features=0.3, random_state=seed
    )
    folds = StratifiedKFold(_FOLDS, shuffle=True, random_state=seed)
    scores = cross_val_predict(classifier, vectors, labels, cv=folds, method="predict_proba")[:, 1]

    def area(drawn: NDArray[Any]) -> float:
        # One draw for both halves keeps as many real rows as generated ones. Mann & Whitney's statistic by ranks
        # takes a tenth of the time of roc_auc_score (0.3 ms, not 3.3, for 2,000 rows), 500 times a bootstrap.
        ranks = rankdata(scores[np.concatenate([drawn, drawn + rows])])[rows:]
        return float((ranks.mean() - (rows + 1) / 2) / rows)

    return bootstrap(area, rows, seed=seed, subsampled=max(len(real), len(generated)) > rows)
