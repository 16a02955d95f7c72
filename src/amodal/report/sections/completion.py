"""Hidden cells of judged rows, filled: how far off, and is the model as unsure as it should be?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from amodal.batch import Batch
from amodal.metrics import (
    Score,
    calibration,
    completion_error,
    fill_iteratively,
    fill_nearest,
    fill_typical,
    need_rows,
)
from amodal.modalities import Modality
from amodal.report.context import COMPLETION, Evidence, completed
from amodal.report.metric import Notes, reading
from amodal.report.results import ColumnCalibration, ColumnCompletion, CoverageReading, Reading

_DRAWS = 19
"""Between the least and most of 19 draws lies 90 % of what they are drawn from."""
_SAYS = {
    "accuracy": "Share of hidden labels that are found.",
    "RMSE": "How far off hidden numbers are.",
    "token F1": "How many of a hidden text's words are found, and no others.",
    "mel distance": "How far hidden sounds' spectrograms are from the real ones.",
    "SSIM": "How alike hidden pictures and the real ones are in light, contrast and structure.",
}


def completion(evidence: Evidence, notes: Notes) -> tuple[list[ColumnCompletion], list[ColumnCalibration]]:
    """Hide each column in turn and draw it given the row's other cells.

    Numbers are compared by the mean and labels by the most frequent of 19 draws, as the fills without a model are
    no draws either; pictures, sounds and texts by one draw.
    """
    columns, calibrated = [], []
    for number, name in enumerate(evidence.features):
        rows = evidence.stored[evidence.stored.mask(name)]
        with notes.attempt("completion", name):
            need_rows(len(rows), 10, "hidden cells")
            draws = _draws(evidence, rows, name, number)
            columns.append(_column(evidence, name, draws, notes))
            if evidence.modalities[name].type == "number":
                with notes.attempt("calibration", name):
                    calibrated.append(_calibration(evidence, name, draws))
    return columns, calibrated


def _draws(evidence: Evidence, rows: Batch, name: str, number: int) -> Tensor:
    """Draws (N, K, ...) of a column's cells given the others; K is 1 for pictures, sounds and texts."""
    given = rows.given(other for other in evidence.modalities if other != name)
    count = _DRAWS if evidence.modalities[name].type in ("number", "category") else 1
    seeds = [evidence.noise_seed(COMPLETION, 100 * number + draw) for draw in range(count)]
    return torch.stack([completed(evidence.model, given, [name], seed)[name] for seed in seeds], dim=1)


def _column(evidence: Evidence, name: str, draws: Tensor, notes: Notes) -> ColumnCompletion:
    modality, seed = evidence.modalities[name], evidence.seed
    hidden, known = evidence.judged.mask(name), evidence.known.mask(name)
    truth, real = evidence.judged.x[name][hidden], evidence.known.x[name][known]
    answer, how = _answer(modality, draws)
    error = completion_error(modality, truth, answer, seed=seed)
    typical = completion_error(modality, truth, fill_typical(modality, real, len(truth)), seed=seed)

    def read(called: str, score: Score, floor: Score | None = None) -> Reading:
        return reading(
            called,
            score,
            better=error.better,
            unit=error.unit,
            says=_SAYS[error.measure],
            floor=floor,
            floor_is=_typical(modality),
            cut=evidence.cut,
        )

    others = [other for other in evidence.features if other != name]
    exact = [other for other in others if evidence.modalities[other].type in ("number", "category")]
    fills: dict[str, Callable[[], Tensor]] = {
        "nearest rows": lambda: fill_nearest(
            modality,
            real,
            np.nan_to_num(_given(evidence, "known", others)[known.numpy()]),
            np.nan_to_num(_given(evidence, "judged", others)[hidden.numpy()]),
            seed=seed,
        )
    }
    if modality.type in ("number", "category"):
        fills["IterativeImputer"] = lambda: fill_iteratively(
            modality,
            real,
            _given(evidence, "known", exact)[known.numpy()],
            _given(evidence, "judged", exact)[hidden.numpy()],
            seed=seed,
        )
    baselines = [read(_typical(modality), typical.score)]
    for called, fill in fills.items():
        with notes.attempt(f"completion by {called}", name):
            need_rows(len(others), 1, "other columns")
            baselines.append(read(called, completion_error(modality, truth, fill(), seed=seed).score))
    model = read(error.measure, error.score, typical.score)
    sign = 1 if error.better == "higher" else -1
    best = max(
        [("model", model), *((each.name, each) for each in baselines)], key=lambda each: sign * each[1].value
    )
    return ColumnCompletion(
        column=name, type=modality.type, how=how, model=model, baselines=baselines, best=best[0]
    )


def _given(evidence: Evidence, which: str, columns: list[str]) -> np.ndarray[Any, Any]:
    """Vectors (N, F) of some columns of judged or known rows beside each other, NaN where missing."""
    vectors = evidence.vectors[which]
    rows = len(evidence.judged if which == "judged" else evidence.known)
    return np.concatenate([np.empty((rows, 0)), *(vectors[name] for name in columns)], axis=1)


def _answer(modality: Modality, draws: Tensor) -> tuple[Tensor, str]:
    if modality.type == "number":
        drawn = np.array(modality.to_cells(draws.reshape(-1)), np.float64).reshape(draws.shape)
        mean = pd.Series(drawn.mean(axis=1))
        return modality.scale(modality.to_tensor(mean, None)), f"mean of {_DRAWS} draws"
    if modality.type == "category":
        return draws.mode(dim=1).values, f"most frequent of {_DRAWS} draws"
    return draws[:, 0], "one draw"


def _typical(modality: Modality) -> str:
    if modality.type == "number":
        return "mean"
    return "most frequent" if modality.suffix is None else "mean cell"


def _calibration(evidence: Evidence, name: str, draws: Tensor) -> ColumnCalibration:
    modality = evidence.modalities[name]
    cells = evidence.judged.x[name][evidence.judged.mask(name)]
    truth = np.array(modality.to_cells(cells), np.float64)
    drawn = np.array(modality.to_cells(draws.reshape(-1)), np.float64).reshape(draws.shape)
    return ColumnCalibration(
        column=name,
        coverage=[
            CoverageReading(
                nominal=each.nominal,
                share=reading(
                    f"coverage of {each.nominal:.0%} intervals",
                    each.share,
                    better=None,
                    says="Less than the interval's own share: the draws are too sure; more: not sure enough.",
                    cut=evidence.cut,
                ),
            )
            for each in calibration(truth, drawn, seed=evidence.seed)
        ],
    )
