"""Fidelity of a column's generated cells: whether they are like real ones, and as varied."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from torch import Tensor

from amodal.metrics.by_type import FIDELITY, column_metrics
from amodal.metrics.estimate import Better, Estimate, Metric
from amodal.metrics.features import ColumnFeatures, fit_features
from amodal.metrics.imputers import impute_typical
from amodal.metrics.matching import lowest_estimate
from amodal.metrics.sampling import shuffled_values, subsample
from amodal.metrics.vectorizers import Cells
from amodal.modalities import Modality


def fit_fidelity_features(modality: Modality, cells: Cells, *, seed: int = 0) -> ColumnFeatures:
    """Fit features to a column's real cells, up to 2,000 of them, that see fine detail and a table's own words.

    Args:
        modality: the column's.
        cells: real ones, as `ColumnMetrics.table_cells` gives them: (N, ...).
        seed: of the subsample and of the decompositions.

    Raises:
        MetricUnavailable: there are fewer than 2 cells.
    """
    fitted = cells[subsample(len(cells), seed)]
    vectorizer = column_metrics(modality).fit_fidelity_vectorizer(fitted, seed) if len(fitted) > 1 else None
    return fit_features(modality, fitted, vectorizer=vectorizer, seed=seed)


def column_fidelity(
    modality: Modality,
    features: ColumnFeatures,
    real: Cells,
    reference: Cells,
    generated: Tensor,
    *,
    scaled: Tensor | None = None,
    seed: int = 0,
) -> list[Metric]:
    """Metrics of generated cells; the ceiling is that of other real cells, the floor that of a random baseline.

    The random baselines are one typical cell repeated, which is not varied, and each value of a cell taken from another
    row, which looks like nothing real. The floor of a share is the lower one. That of a distance is the typical cell's:
    noise may be at any distance, and in proportion to a far one all distances are small.

    Args:
        modality: the column's.
        features: of `fit_fidelity_features`.
        real: held-out cells, as `ColumnMetrics.table_cells` gives them.
        reference: other real cells, likewise.
        generated: drawn ones, scaled. As many are compared of all.
        scaled: the reference cells, scaled, where `reference` is not.
        seed: of the subsamples.

    Raises:
        MetricUnavailable: there are too few cells.
    """
    column = column_metrics(modality)
    cells: list[Cells] = [real, reference, generated]
    # Few rows make distances larger: only those of as many rows compare.
    rows = min(map(len, cells))
    chosen = [subsample(len(each), seed, rows) for each in cells]
    real, reference, drawn = (each[picked] for each, picked in zip(cells, chosen, strict=True))

    def compare(other: Cells) -> dict[str, Estimate]:
        return column.fidelity(features, real, other, seed)

    estimates, ceilings = compare(drawn), compare(reference)
    tensors: Any = (cells[1] if scaled is None else scaled)[chosen[1]]
    baselines = {"one typical cell repeated": compare(impute_typical(modality, tensors, rows))}
    # A number or label is one value a cell: shuffled, the same column.
    if not column.is_scalar:
        baselines["values shuffled over rows"] = compare(shuffled_values(tensors, seed))
    metrics = []
    for name, estimate in estimates.items():
        better, unit, description = FIDELITY[name]
        kind = _floor_kind(baselines, name, better)
        metrics.append(
            Metric(
                **vars(estimate),
                name=name,
                better=better,
                unit=unit,
                description=description,
                ceiling=ceilings.get(name),
                floor=baselines[kind][name] if kind else None,
                floor_kind=kind,
            )
        )
    return metrics


def lowest_mark(metrics: Iterable[Metric]) -> Estimate | None:
    """The lowest of metrics between floor, 0, and ceiling, 1; None where none has both."""
    marks = [mark for metric in metrics if (mark := metric.mark) is not None]
    return lowest_estimate(marks) if marks else None


def _floor_kind(baselines: Mapping[str, Mapping[str, Estimate]], name: str, better: Better | None) -> str:
    """The baseline that is a metric's floor; empty where none has the metric, or it has no better direction."""
    kinds = [kind for kind, estimates in baselines.items() if name in estimates and better]
    if better == "lower":
        return kinds[0] if kinds else ""
    return min(kinds, key=lambda kind: baselines[kind][name].value, default="")
