"""Error of completed cells by the metric of their column's type."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from amodal.metrics.by_type import column_metrics
from amodal.metrics.estimate import Metric, need_rows
from amodal.metrics.sampling import bootstrap, subsample
from amodal.metrics.vectorizers import Cells
from amodal.modalities import Modality

_LEAST = 10


def completion_error(modality: Modality, truth: Cells, completed: Cells, *, seed: int = 0) -> Metric:
    """Compare completed cells with the real ones of the same rows.

    Accuracy for categories, root mean square error in the column's own unit for numbers, `token_f1` for texts,
    `mel_distance` for sounds, `ssim` for images.

    Args:
        modality: the column's.
        truth: the real cells, scaled or as the table has them, see `ColumnMetrics.table_cells`: (N, ...).
        completed: the drawn ones, likewise.
        seed: of the subsample of up to 2,000 rows and of the interval.

    Raises:
        MetricUnavailable: fewer than 10 rows, or the column's type has no error.
        ValueError: there are not as many cells of both.
    """
    if len(truth) != len(completed):
        raise ValueError(f"{len(completed)} completed cells for {len(truth)} real ones")
    need_rows(len(truth), _LEAST, "hidden cells")
    rows = subsample(len(truth), seed)
    errors = column_metrics(modality).errors(truth[rows], completed[rows])

    def mean(drawn: NDArray[Any]) -> float:
        value = float(errors.values[drawn].mean())
        return value**0.5 if errors.is_squared else value

    estimate = bootstrap(mean, len(rows), seed=seed, subsampled=len(rows) < len(truth))
    return Metric(
        **vars(estimate),
        name=errors.name,
        description=errors.description,
        unit=errors.unit,
        better=errors.better,
    )
