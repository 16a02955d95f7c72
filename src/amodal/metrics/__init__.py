"""How good generated and completed tables are: metrics, each beside what real and shuffled rows score.

Cells are compared as the tensors that models draw: `scaled_batch` makes them of a table's encoded rows.
A metric that rows are too few for raises `MetricUnavailable`, which says why.
"""

from amodal.metrics.calibration import Coverage, calibration
from amodal.metrics.coherence import ColumnClassifier, conditional_coherence, fit_classifier, joint_coherence
from amodal.metrics.completion_error import CompletionError, completion_error, mel_distance, token_f1
from amodal.metrics.copying import Copying, copying
from amodal.metrics.detection import detection_auc
from amodal.metrics.estimate import Estimate, MetricUnavailable, need_rows
from amodal.metrics.features import (
    ColumnFeatures,
    column_vectors,
    fit_features,
    fit_table_features,
    row_vectors,
    scaled_batch,
    with_holes_of,
)
from amodal.metrics.frechet import frechet_distance, gaussian_frechet
from amodal.metrics.imputers import impute_iterative, impute_nearest, impute_typical
from amodal.metrics.marginals import normalized_wasserstein, total_variation
from amodal.metrics.matcher import Matcher, fit_matcher, fit_matchers, matches
from amodal.metrics.matching import PairMatching, matching_accuracy, mean_matching, pair_matching
from amodal.metrics.missingness import Missingness, missingness
from amodal.metrics.prdc import PRDC, prdc
from amodal.metrics.sampling import MOST_ROWS, bootstrap, share, shuffled_columns, shuffled_values, subsample
from amodal.metrics.ssim import ssim
from amodal.metrics.target import Difference, Prediction, TargetTable, predict_target
from amodal.metrics.texts import length_distance, ngram_overlap

__all__ = [
    "MOST_ROWS",
    "PRDC",
    "ColumnClassifier",
    "ColumnFeatures",
    "CompletionError",
    "Copying",
    "Coverage",
    "Difference",
    "Estimate",
    "Matcher",
    "MetricUnavailable",
    "Missingness",
    "PairMatching",
    "Prediction",
    "TargetTable",
    "bootstrap",
    "calibration",
    "column_vectors",
    "completion_error",
    "conditional_coherence",
    "copying",
    "detection_auc",
    "fit_classifier",
    "fit_features",
    "fit_matcher",
    "fit_matchers",
    "fit_table_features",
    "frechet_distance",
    "gaussian_frechet",
    "impute_iterative",
    "impute_nearest",
    "impute_typical",
    "joint_coherence",
    "length_distance",
    "matches",
    "matching_accuracy",
    "mean_matching",
    "mel_distance",
    "missingness",
    "need_rows",
    "ngram_overlap",
    "normalized_wasserstein",
    "pair_matching",
    "prdc",
    "predict_target",
    "row_vectors",
    "scaled_batch",
    "share",
    "shuffled_columns",
    "shuffled_values",
    "ssim",
    "subsample",
    "token_f1",
    "total_variation",
    "with_holes_of",
]
