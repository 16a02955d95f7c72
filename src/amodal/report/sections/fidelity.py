"""Each column on its own: are generated cells like real ones, and as varied?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from amodal.metrics import (
    ColumnFeatures,
    Estimate,
    MetricUnavailable,
    frechet_distance,
    impute_typical,
    length_distance,
    ngram_overlap,
    normalized_wasserstein,
    prdc,
    shuffled_values,
    subsample,
    total_variation,
)
from amodal.modalities import Modality
from amodal.report.context import Evidence
from amodal.report.metric import Notes, reading
from amodal.report.results import Better, ColumnFidelity, Reading

Scores = dict[str, Estimate]


@dataclass(frozen=True)
class _Column:
    modality: Modality
    features: ColumnFeatures
    seed: int


_METRICS: Mapping[str, tuple[Better, str, str]] = {
    "Frechet distance": ("lower", "", "How far generated cells are from real ones as a whole, in features."),
    "precision": ("higher", "", "Share of generated cells that look like real ones."),
    "recall": ("higher", "", "Share of real cells that are like something the model makes."),
    "density": ("higher", "", "How deep generated cells lie among real ones."),
    "coverage": ("higher", "", "Share of real cells that have a generated cell near them."),
    "length distance": ("lower", "", "How many words longer or shorter texts are, over the real mean."),
    "n-gram overlap": ("higher", "", "Share of pairs of neighbouring words that texts have in common."),
    "Wasserstein distance": ("lower", "standard deviations", "How far numbers must be moved on average."),
    "total variation": ("lower", "", "Share of rows that would need another label."),
}


def fidelity(evidence: Evidence, notes: Notes) -> list[ColumnFidelity]:
    """Score each column's generated cells against the judged rows'.

    The ceiling is that of the known rows' cells, as many of them. The floor is the worse of two: one typical cell
    repeated, which is not varied, and each value of a cell taken from another row, which looks like nothing real.
    """
    parts = []
    for name, features in evidence.features.items():
        column = _Column(evidence.modalities[name], features, evidence.seed)
        real, known, made = (
            rows.column(name) for rows in (evidence.judged, evidence.known, evidence.generated)
        )
        # Few rows make distances larger: only scores of as many rows compare.
        rows = min(len(real), len(known), len(made))
        real, known, made = (
            cells[subsample(len(cells), evidence.seed, rows)] for cells in (real, known, made)
        )
        try:
            scores = _scores(column, real, made)
        except MetricUnavailable as reason:
            notes.add("fidelity", str(reason), name)
            continue
        ceiling, floors = _scores(column, real, known), _floors(column, real, known)

        def read(
            metric: str, score: Estimate, ceiling: Scores = ceiling, floors: Mapping[str, Scores] = floors
        ) -> Reading:
            better, unit, says = _METRICS[metric]
            worst = (max if better == "lower" else min)(
                (which for which in floors if metric in floors[which]),
                key=lambda which: floors[which][metric].value,
                default="",
            )
            return reading(
                metric,
                score,
                better=better,
                unit=unit,
                says=says,
                ceiling=ceiling.get(metric),
                floor=floors[worst][metric] if worst else None,
                floor_is=worst,
                cut=evidence.cut,
            )

        parts.append(
            ColumnFidelity(
                column=name,
                type=column.modality.type,
                scores=[read(metric, score) for metric, score in scores.items()],
            )
        )
    return parts


def _floors(column: _Column, real: Tensor, known: Tensor) -> dict[str, Scores]:
    """What worthless cells score, of which some metrics are blind to one kind and some to the other."""
    worthless = {"one typical cell repeated": impute_typical(column.modality, known, len(known))}
    # Numbers and labels are one value a cell, and shuffled the same column.
    if column.modality.type not in ("number", "category"):
        worthless["values shuffled over rows"] = shuffled_values(known, column.seed)
    return {which: _scores(column, real, cells) for which, cells in worthless.items()}


def _scores(column: _Column, real: Tensor, other: Tensor) -> Scores:
    return _OF_TYPE[column.modality.type](column, real, other)


def _by_features(column: _Column, real: Tensor, other: Tensor) -> Scores:
    one, two = column.features(real), column.features(other)
    near = prdc(one, two, seed=column.seed)
    return {
        "Frechet distance": frechet_distance(one, two, seed=column.seed),
        "precision": near.precision,
        "recall": near.recall,
        "density": near.density,
        "coverage": near.coverage,
    }


def _texts(column: _Column, real: Tensor, other: Tensor) -> Scores:
    scores = _by_features(column, real, other)
    one, two = ([str(text) for text in column.modality.to_cells(cells)] for cells in (real, other))
    metrics: Mapping[str, Callable[..., Estimate]] = {
        "length distance": length_distance,
        "n-gram overlap": ngram_overlap,
    }
    for name, metric in metrics.items():
        try:
            scores[name] = metric(one, two, seed=column.seed)
        except MetricUnavailable:
            # Texts without words have no such score; what features say of them stands.
            continue
    return scores


def _numbers(column: _Column, real: Tensor, other: Tensor) -> Scores:
    one, two = (np.array(column.modality.to_cells(cells), np.float64) for cells in (real, other))
    return {"Wasserstein distance": normalized_wasserstein(one, two)}


def _labels(_: _Column, real: Tensor, other: Tensor) -> Scores:
    return {"total variation": total_variation(real.tolist(), other.tolist())}


_OF_TYPE: Mapping[str, Callable[[_Column, Tensor, Tensor], Scores]] = {
    "image": _by_features,
    "audio": _by_features,
    "text": _texts,
    "number": _numbers,
    "category": _labels,
}
