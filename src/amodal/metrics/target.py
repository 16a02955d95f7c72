"""Predictions of a target column from each other column, from all, and from all but each."""

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
from amodal.metrics.probe import Target, TargetMetric
from amodal.metrics.sampling import bootstrap, subsample
from amodal.modalities import Modality

Embed = Callable[[Batch], NDArray[Any]]
"""Rows with their given cells present -> vectors (N, D), as `GenerativeModel.embed` gives them."""
Complete = Callable[[Batch, int], Tensor]
"""Rows with their given cells present, and a draw's number from 0 -> the target's cells (N,), drawn, scaled."""
Predictor = Literal["embedding", "completion", "features"]
Columns = tuple[str, ...]

_LEAST = 50


@dataclass(frozen=True)
class Prediction:
    """Score of one prediction of the target.

    Attributes:
        given: the columns it is predicted from.
        predictor: "embedding", a linear probe of the joint latent; "completion", the model's own draws; "features",
            the same linear probe of raw features, without any learned representation.
        score: the target's `metric`.
    """

    given: Columns
    predictor: Predictor
    score: Estimate


@dataclass(frozen=True)
class Gain:
    """Difference of two predictions' scores on the same rows.

    Attributes:
        given: the columns of the one.
        over: those of the other, fewer.
        predictor: of both.
        score: difference of the target's `metric`, below zero where more columns harm; significant where the
            interval excludes zero.
    """

    given: Columns
    over: Columns
    predictor: Predictor
    score: Estimate


@dataclass(frozen=True)
class TargetScores:
    """Scores of a target column's predictions.

    Attributes:
        target: its name.
        metric: "accuracy" (share of right labels) or "R2" (share of a number's variance explained); both 1 at most.
        baseline: of the most frequent label, or of the mean number.
        predictions: from each column alone, from all, and from all but each; by each of the three predictors.
        gains: by each predictor, all columns over the best single one.
        ablations: by each predictor, all columns over all but one: what each column adds to the others.
    """

    target: str
    metric: TargetMetric
    baseline: Estimate
    predictions: tuple[Prediction, ...]
    gains: tuple[Gain, ...]
    ablations: tuple[Gain, ...]


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
    subsampled: bool = False,
) -> TargetScores:
    """Predict a column of rows that a model was not fitted to from the others.

    Linear probes (logistic regression for labels, ridge regression for numbers) are cross-validated in 5 folds.
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
        given: the columns to predict from; all others by default. One that determines the target leaves the
            others nothing to add.
        draws: number of completions.
        seed: of folds, intervals, and the subsample of up to 2,000 rows.
        subsampled: whether `rows` were drawn from more.

    Raises:
        MetricUnavailable: the target is of another type, nothing is given, or it has too few cells: 50, and two
            labels with 5.
    """
    others = tuple(name for name in (modalities if given is None else given) if name != target)
    if not others:
        raise MetricUnavailable(f"there is no column to predict {target!r} from")
    present = np.flatnonzero(rows.mask(target).numpy())
    need_rows(len(present), _LEAST, f"rows with a cell of {target!r}")
    chosen = rows[torch.from_numpy(present[subsample(len(present), seed)])]
    cells = Target.of_rows(modalities[target], chosen, target)
    predictors = _predictors(chosen, modalities, others, cells, embed, complete, draws, seed)
    singles = [(name,) for name in others]
    removed = [tuple(name for name in others if name != each) for each in others] if others[1:] else []
    # Of two columns, one alone is also all but the other.
    sets = dict.fromkeys([*singles, others, *removed])
    losses = {(columns, by): predict(columns) for columns in sets for by, predict in predictors.items()}

    def scored(score: Callable[[NDArray[Any]], float]) -> Estimate:
        return bootstrap(score, len(cells), seed=seed, subsampled=subsampled or len(chosen) < len(present))

    def gain(over: Columns, by: Predictor) -> Gain:
        return Gain(others, over, by, scored(cells.gain(losses[others, by], losses[over, by])))

    best = {by: min((losses[single, by].mean(), single) for single in singles)[1] for by in predictors}
    return TargetScores(
        target=target,
        metric=cells.metric,
        baseline=scored(cells.score(cells.losses(cells.constant_prediction))),
        predictions=tuple(
            Prediction(columns, by, scored(cells.score(loss))) for (columns, by), loss in losses.items()
        ),
        gains=tuple(gain(best[by], by) for by in predictors) if removed else (),
        ablations=tuple(gain(columns, by) for columns in removed for by in predictors),
    )


def _predictors(
    rows: Batch,
    modalities: Mapping[str, Modality],
    others: Columns,
    target: Target,
    embed: Embed,
    complete: Complete,
    draws: int,
    seed: int,
) -> dict[Predictor, Callable[[Columns], NDArray[np.float64]]]:
    """Functions of given columns to the losses (N,) of their predictions."""
    inputs = {name: modalities[name] for name in others}
    scaled = scaled_batch(rows, modalities)
    # These features see no label, so that folds need none of their own.
    vectors = column_vectors(fit_table_features(scaled, inputs, seed=seed), scaled)

    def by_features(given: Columns) -> NDArray[np.float64]:
        missing = [np.isnan(vectors[name][:, :1]) for name in given]
        joined = np.hstack([*(np.nan_to_num(vectors[name]) for name in given), *missing])
        return target.losses(target.probe(joined, seed))

    def by_embedding(given: Columns) -> NDArray[np.float64]:
        return target.losses(target.probe(np.asarray(embed(rows.given(given)), np.float64), seed))

    def by_completion(given: Columns) -> NDArray[np.float64]:
        drawn = [target.column.values(complete(rows.given(given), draw)) for draw in range(draws)]
        return target.losses(target.consensus(np.stack(drawn)))

    return {"embedding": by_embedding, "completion": by_completion, "features": by_features}
