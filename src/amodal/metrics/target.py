"""Is multimodal worth it? One column predicted from each other column, from all, and from all but each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from amodal.batch import Batch
from amodal.metrics.estimate import Estimate, MetricUnavailable, need_rows
from amodal.metrics.features import column_vectors, fit_table_features, scaled_batch
from amodal.metrics.probe import Measure, Truth
from amodal.metrics.sampling import bootstrap, subsample
from amodal.modalities import Modality

Embed = Callable[[Batch], NDArray[Any]]
"""Rows with what is given present -> vectors (N, D), as `GenerativeModel.embed` gives them."""
Complete = Callable[[Batch, int], Tensor]
"""Rows with what is given present, and the draw's number from 0 -> the target's cells (N,), drawn, scaled."""
By = Literal["embedding", "completion", "features"]

_LEAST = 50


@dataclass(frozen=True)
class Prediction:
    """How well the target is predicted.

    Attributes:
        given: the columns it is predicted from.
        by: "embedding", a linear model on the joint latent; "completion", the model's own draws; "features", the same
            linear model on model-free features, without any learned representation.
        score: the table's `measure`.
    """

    given: tuple[str, ...]
    by: By
    score: Estimate


@dataclass(frozen=True)
class Difference:
    """What more columns add, on the same rows, in the table's `measure`.

    Attributes:
        more: the columns of the better informed prediction.
        fewer: those of the other.
        by: how both predict.
        score: how much more the first has; below zero where more columns harm. More is certain where the
            interval's lower end is above zero.
    """

    more: tuple[str, ...]
    fewer: tuple[str, ...]
    by: By
    score: Estimate


@dataclass(frozen=True)
class TargetTable:
    """A target column predicted from others.

    Attributes:
        target: its name.
        measure: "accuracy" (share of right labels) or "R2" (share of a number's variance explained); both 1 at most.
        baseline: the score of the most frequent label, or of the mean number.
        predictions: from each column alone, from all, and from all but each; by each of the three ways.
        gains: by each way, all columns over the best single one.
        worth: by each way, all columns over all but one: what each column adds to the others.
    """

    target: str
    measure: Measure
    baseline: Estimate
    predictions: tuple[Prediction, ...]
    gains: tuple[Difference, ...]
    worth: tuple[Difference, ...]


def predict_target(
    rows: Batch,
    modalities: Mapping[str, Modality],
    target: str,
    embed: Embed,
    complete: Complete,
    *,
    given: Iterable[str] | None = None,
    draws: int = 8,
    seed: int = 0,
) -> TargetTable:
    """Predict a column of rows that a model was not fitted to from the others.

    Linear models (logistic regression for labels, ridge regression for numbers) are cross-validated in 5 folds.
    The model's completion is the most frequent label or the mean number of some draws. All are scored on the same
    rows, those with a missing given cell too, with bootstrap intervals.

    Source: linear probes, Alain & Bengio, "Understanding intermediate layers using linear classifier probes", ICLR
    2017 workshop; leaving columns out, Lei et al., "Distribution-free predictive inference for regression", 2018.

    Args:
        rows: as `amodal.table.encode` gives them.
        modalities: column -> its modality, as the model has them.
        target: the column, of categories or numbers.
        embed: the model's.
        complete: the model's, of the target.
        given: the columns to predict from; all others by default. One that names the target outright leaves the
            others nothing to add.
        draws: how many completions are asked for.
        seed: of folds, intervals, and the subsample of up to 2,000 rows.

    Raises:
        MetricUnavailable: the target is of another type, nothing is given, or it has too few cells: 50, and two labels
            with 5.
    """
    others = tuple(name for name in (modalities if given is None else given) if name != target)
    if not others:
        raise MetricUnavailable(f"there is no column to predict {target!r} from")
    chosen = _rows_with(target, rows, seed)
    truth = Truth.of(modalities[target], chosen, target)
    ways = _ways(chosen, modalities, others, truth, embed, complete, draws, seed)
    singles = [(name,) for name in others]
    removed = [tuple(name for name in others if name != each) for each in others] if others[1:] else []
    # Of two columns, one alone is also all but the other.
    sets = dict.fromkeys([*singles, others, *removed])
    losses = {(columns, by): predict(columns) for columns in sets for by, predict in ways.items()}
    cut = len(chosen) < int(rows.mask(target).sum())

    def scored(score: Callable[[NDArray[Any]], float]) -> Estimate:
        return bootstrap(score, len(truth), seed=seed, subsampled=cut)

    def more(fewer: tuple[str, ...], by: By) -> Difference:
        gain = truth.gain(losses[others, by], losses[fewer, by])
        return Difference(others, fewer, by, scored(gain))

    best = {by: min((losses[single, by].mean(), single) for single in singles)[1] for by in ways}
    return TargetTable(
        target=target,
        measure=truth.measure,
        baseline=scored(truth.score(truth.losses(truth.typical))),
        predictions=tuple(
            Prediction(columns, by, scored(truth.score(loss))) for (columns, by), loss in losses.items()
        ),
        gains=tuple(more(best[by], by) for by in ways) if removed else (),
        worth=tuple(more(fewer, by) for fewer in removed for by in ways),
    )


def _rows_with(target: str, rows: Batch, seed: int) -> Batch:
    present = np.flatnonzero(rows.mask(target).numpy())
    need_rows(len(present), _LEAST, f"rows with a cell of {target!r}")
    kept = torch.from_numpy(present[subsample(len(present), seed)])
    return rows[kept]


def _ways(
    rows: Batch,
    modalities: Mapping[str, Modality],
    others: tuple[str, ...],
    truth: Truth,
    embed: Embed,
    complete: Complete,
    draws: int,
    seed: int,
) -> dict[By, Callable[[tuple[str, ...]], NDArray[np.float64]]]:
    """Each way from given columns to the losses (N,) of its predictions."""
    inputs = {name: modalities[name] for name in others}
    scaled = scaled_batch(rows, modalities)
    # No label is used here, so that the folds need no features of their own.
    vectors = column_vectors(fit_table_features(scaled, inputs, seed=seed), scaled)

    def by_features(given: tuple[str, ...]) -> NDArray[np.float64]:
        missing = [np.isnan(vectors[name][:, :1]) for name in given]
        joined = np.hstack([*(np.nan_to_num(vectors[name]) for name in given), *missing])
        return truth.losses(truth.probe(joined, seed))

    def by_embedding(given: tuple[str, ...]) -> NDArray[np.float64]:
        return truth.losses(truth.probe(np.asarray(embed(rows.given(given)), np.float64), seed))

    def by_completion(given: tuple[str, ...]) -> NDArray[np.float64]:
        drawn = [truth.values(complete(rows.given(given), draw)) for draw in range(draws)]
        return truth.losses(truth.consensus(np.stack(drawn)))

    return {"embedding": by_embedding, "completion": by_completion, "features": by_features}
