"""Metrics of generated and completed tables: pure functions of real and drawn cells that return estimates.

Cells are compared as the tensors that models draw: `scaled_batch` makes them of a table's encoded rows.
A metric that rows are too few for raises `MetricUnavailable` with the reason.
"""

from amodal.metrics.by_type import BY_TYPE, FIDELITY, ColumnMetrics, column_metrics
from amodal.metrics.calibration import IntervalCoverage, calibration
from amodal.metrics.coherence import (
    ColumnClassifier,
    conditional_coherence,
    fit_classifier,
    joint_coherence,
)
from amodal.metrics.completion_error import completion_error
from amodal.metrics.copying import Copying, copying
from amodal.metrics.estimate import Better, Estimate, Metric, MetricUnavailable, need_rows
from amodal.metrics.feature_blocks import FeatureBlock, join_blocks
from amodal.metrics.features import (
    ColumnFeatures,
    Vectors,
    column_vectors,
    fit_features,
    fit_table_features,
    row_vectors,
    scaled_batch,
    with_holes_of,
)
from amodal.metrics.fidelity import column_fidelity, fit_fidelity_features, lowest_mark
from amodal.metrics.frechet import frechet_distance, gaussian_frechet
from amodal.metrics.imputers import impute_iterative, impute_nearest, impute_supervised, impute_typical
from amodal.metrics.marginals import normalized_wasserstein, total_variation
from amodal.metrics.matcher import Matcher, fit_matcher, fit_matchers, match_scores
from amodal.metrics.matching import (
    PairMatching,
    lowest_estimate,
    matching_accuracy,
    mean_estimate,
    mean_matching,
    pair_matching,
)
from amodal.metrics.membership import Membership, membership_inference
from amodal.metrics.missingness import Missingness, missingness
from amodal.metrics.prdc import PRDC, prdc
from amodal.metrics.sampling import (
    MOST_ROWS,
    bootstrap,
    proportion,
    shuffled_columns,
    shuffled_values,
    subsample,
)
from amodal.metrics.sharpness import sharpness, spectrum
from amodal.metrics.spectrograms import mel_distance
from amodal.metrics.ssim import ssim
from amodal.metrics.supervised import Predict, predict_boosting, predict_linear
from amodal.metrics.target import Gain, Prediction, Predictor, TargetScores, predict_target
from amodal.metrics.texts import length_distance, ngram_overlap, token_f1
from amodal.metrics.textures import TextureFeatures
from amodal.metrics.two_sample import detection_auc
from amodal.metrics.vectorizers import Cells, Vectorizer

__all__ = [
    "BY_TYPE",
    "FIDELITY",
    "MOST_ROWS",
    "PRDC",
    "Better",
    "Cells",
    "ColumnClassifier",
    "ColumnFeatures",
    "ColumnMetrics",
    "Copying",
    "Estimate",
    "FeatureBlock",
    "Gain",
    "IntervalCoverage",
    "Matcher",
    "Membership",
    "Metric",
    "MetricUnavailable",
    "Missingness",
    "PairMatching",
    "Predict",
    "Prediction",
    "Predictor",
    "TargetScores",
    "TextureFeatures",
    "Vectorizer",
    "Vectors",
    "bootstrap",
    "calibration",
    "column_fidelity",
    "column_metrics",
    "column_vectors",
    "completion_error",
    "conditional_coherence",
    "copying",
    "detection_auc",
    "fit_classifier",
    "fit_features",
    "fit_fidelity_features",
    "fit_matcher",
    "fit_matchers",
    "fit_table_features",
    "frechet_distance",
    "gaussian_frechet",
    "impute_iterative",
    "impute_nearest",
    "impute_supervised",
    "impute_typical",
    "join_blocks",
    "joint_coherence",
    "length_distance",
    "lowest_estimate",
    "lowest_mark",
    "match_scores",
    "matching_accuracy",
    "mean_estimate",
    "mean_matching",
    "mel_distance",
    "membership_inference",
    "missingness",
    "need_rows",
    "ngram_overlap",
    "normalized_wasserstein",
    "pair_matching",
    "prdc",
    "predict_boosting",
    "predict_linear",
    "predict_target",
    "proportion",
    "row_vectors",
    "scaled_batch",
    "sharpness",
    "shuffled_columns",
    "shuffled_values",
    "spectrum",
    "ssim",
    "subsample",
    "token_f1",
    "total_variation",
    "with_holes_of",
]
