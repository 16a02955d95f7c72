"""How good generated and completed tables are: metrics, each beside what real and shuffled rows score.

Cells are compared as the tensors that models draw: `scaled_batch` makes them of a table's encoded rows.
A metric that rows are too few for raises `LeftOut`, which says why.
"""

from amodal.evaluation.baselines import fill_iteratively, fill_nearest, fill_typical
from amodal.evaluation.calibration import Coverage, calibration
from amodal.evaluation.coherence import PairCoherence, agreement, pair_coherence, row_coherence
from amodal.evaluation.completion_error import CompletionError, completion_error, mel_distance, token_f1
from amodal.evaluation.copying import Copying, copying
from amodal.evaluation.evaluate import Evaluation, evaluate
from amodal.evaluation.features import (
    ColumnFeatures,
    column_vectors,
    fit_features,
    fit_table_features,
    row_vectors,
    scaled_batch,
    with_holes_of,
)
from amodal.evaluation.frechet import frechet_distance, gaussian_frechet
from amodal.evaluation.judges import Judge, fit_judge, judged, judged_alike
from amodal.evaluation.marginals import label_distance, number_distance
from amodal.evaluation.matcher import Matcher, fit_matcher, fit_matchers, matches
from amodal.evaluation.missingness import Missingness, missingness
from amodal.evaluation.neighbourhoods import Neighbourhoods, neighbourhoods
from amodal.evaluation.realism import realism
from amodal.evaluation.report import Report
from amodal.evaluation.sampling import (
    MOST_ROWS,
    bootstrap,
    share,
    shuffled_columns,
    shuffled_values,
    subsample,
)
from amodal.evaluation.score import LeftOut, Score, need_rows
from amodal.evaluation.shown import Shown
from amodal.evaluation.ssim import ssim
from amodal.evaluation.target import Difference, Prediction, TargetTable, predict_target
from amodal.evaluation.texts import length_distance, ngram_overlap
from amodal.evaluation.writing import write_evaluation

__all__ = [
    "MOST_ROWS",
    "ColumnFeatures",
    "CompletionError",
    "Copying",
    "Coverage",
    "Difference",
    "Evaluation",
    "Judge",
    "LeftOut",
    "Matcher",
    "Missingness",
    "Neighbourhoods",
    "PairCoherence",
    "Prediction",
    "Report",
    "Score",
    "Shown",
    "TargetTable",
    "agreement",
    "bootstrap",
    "calibration",
    "column_vectors",
    "completion_error",
    "copying",
    "evaluate",
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
    "write_evaluation",
]
