"""Predictions of one column from the other cells of a row: probabilities of labels, quantiles of numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.distributions import Categorical, Distribution

from amodal.batch import Batch
from amodal.distributions import RowNoise, quantile
from amodal.errors import UsageError
from amodal.inference import map_slices
from amodal.modalities import Modality
from amodal.models import GenerativeModel

INTERVAL = (0.1, 0.9)
"""Quantiles that bound the interval of 80 % of a number's certainty."""


def is_label(modality: Modality) -> bool:
    """True for a column of which each cell there can be has a probability."""
    return modality.num_outcomes is not None


def labels(modality: Modality) -> list[object]:
    """The cells there can be, in the order of their probabilities."""
    return list(modality.to_cells(torch.arange(modality.num_outcomes or 0)))


def probabilities(model: GenerativeModel, batch: Batch, column: str, *, seed: int) -> NDArray[np.float64]:
    """p(label | the row's other present cells), (N, K).

    Raises:
        UsageError: the column has no labels.
    """
    if not is_label(model.modalities[column]):
        raise UsageError(f"Column {column!r} has no labels: predict_quantiles is for numbers.")

    def probs(distribution: Distribution) -> Tensor:
        if not isinstance(distribution, Categorical):
            raise TypeError(f"{type(distribution).__name__} has no probabilities of labels")
        return distribution.logits.double().softmax(1)

    return _predicted(model, batch, column, probs, seed)


def quantiles(
    model: GenerativeModel, batch: Batch, column: str, levels: Sequence[float], *, seed: int
) -> list[list[object]]:
    """Cells at quantiles of p(number | the row's other present cells), N for each level.

    Raises:
        UsageError: the column holds no numbers, or a level does not lie between 0 and 1.
    """
    modality = model.modalities[column]
    if not modality.is_ordered:
        raise UsageError(f"Column {column!r} holds no numbers: predict_proba is for labels.")
    wrong = [level for level in levels if not 0.0 < level < 1.0]
    if wrong:
        raise UsageError(f"A quantile lies between 0 and 1, not at {wrong[0]}.")

    def at_levels(distribution: Distribution) -> Tensor:
        size = distribution.batch_shape[0]
        points = [torch.full((size,), level, device=model.device) for level in levels]
        return torch.stack([quantile(distribution, point) for point in points], dim=1)

    points = torch.from_numpy(_predicted(model, batch, column, at_levels, seed)).float()
    return [list(modality.to_cells(level)) for level in points.unbind(1)]


def top_labels(probs: NDArray[np.float64], cells: Sequence[object], k: int, index: pd.Index) -> pd.DataFrame:
    """The k likeliest labels of each row, likeliest first: columns `rank`, `cell` and `probability`.

    Args:
        probs: (N, K).
        cells: K labels.
        k: number of labels; all of them where there are fewer.
        index: of the rows, each repeated for its labels.
    """
    if k < 1:
        raise UsageError(f"k must be at least 1, not {k}.")
    order = np.argsort(-probs, axis=1, kind="stable")[:, :k]
    count = order.shape[1]
    return pd.DataFrame(
        {
            "rank": np.tile(np.arange(1, count + 1), len(probs)),
            "cell": [cells[label] for label in order.ravel().tolist()],
            "probability": np.take_along_axis(probs, order, axis=1).ravel(),
        },
        index=index.repeat(count),
    )


@torch.no_grad()
def _predicted(
    model: GenerativeModel, batch: Batch, column: str, compute: Callable[[Distribution], Tensor], seed: int
) -> NDArray[np.float64]:
    def predict(rows: Batch, noise: RowNoise) -> NDArray[np.float64]:
        return compute(model.predict(rows, [column], noise)[column]).double().cpu().numpy()

    return np.concatenate(list(map_slices(model, batch, predict, seed=seed)))
