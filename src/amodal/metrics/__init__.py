"""How good generated and completed tables are: metrics, each beside what real and shuffled rows score.

Cells are compared as the tensors that models draw: `scaled_batch` makes them of a table's encoded rows.
A metric that rows are too few for raises `LeftOut`, which says why.
"""

from amodal.metrics.baselines import fill_iteratively, fill_nearest, fill_typical
from amodal.metrics.calibration import Coverage, calibration
from amodal.metrics.completion_error import CompletionError, completion_error, mel_distance, token_f1
from amodal.metrics.copying import Copying, copying
from amodal.metrics.detection import realism
from amodal.metrics.estimate import LeftOut, Score, need_rows
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
from amodal.metrics.judges import Judge, fit_judge, judged, judged_alike
from amodal.metrics.marginals import label_distance, number_distance
from amodal.metrics.matcher import Matcher, fit_matcher, fit_matchers, matches
from amodal.metrics.matching import PairCoherence, agreement, pair_coherence, row_coherence
from amodal.metrics.missingness import Missingness, missingness
from amodal.metrics.neighbourhoods import Neighbourhoods, neighbourhoods
from amodal.metrics.sampling import MOST_ROWS, bootstrap, share, shuffled_columns, shuffled_values, subsample
from amodal.metrics.ssim import ssim
from amodal.metrics.target import Difference, Prediction, TargetTable, predict_target
from amodal.metrics.texts import length_distance, ngram_overlap

__all__ = [
    "MOST_ROWS",
    "ColumnFeatures",
    "CompletionError",
    "Copying",
    "Coverage",
    "Difference",
    "Judge",
    "LeftOut",
    "Matcher",
    "Missingness",
    "Neighbourhoods",
    "PairCoherence",
    "Prediction",
    "Score",
    "TargetTable",
    "agreement",
    "bootstrap",
    "calibration",
    "column_vectors",
    "completion_error",
    "copying",
    "fill_iteratively",
    "fill_nearest",
    "fill_typical",
    "fit_features",
    "fit_judge",
    "fit_matcher",
    "fit_matchers",
    "fit_table_features",
    "frechet_distance",
    "gaussian_frechet",
    "judged",
    "judged_alike",
    "label_distance",
    "length_distance",
    "matches",
    "mel_distance",
    "missingness",
    "need_rows",
    "neighbourhoods",
    "ngram_overlap",
    "number_distance",
    "pair_coherence",
    "predict_target",
    "realism",
    "row_coherence",
    "row_vectors",
    "scaled_batch",
    "share",
    "shuffled_columns",
    "shuffled_values",
    "ssim",
    "subsample",
    "token_f1",
    "with_holes_of",
]
