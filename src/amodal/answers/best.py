"""The best single completion of rows, in place of a random draw."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.distributions import Categorical, Distribution

from amodal.batch import Batch
from amodal.distributions import RowNoise, quantile
from amodal.modalities import Modality
from amodal.models import GenerativeModel
from amodal.models.base import broadcast_mask

_TEXT_DRAWS = 16
_MEDIA_DRAWS = 8


def best_cells(distribution: Distribution, noise: RowNoise) -> Tensor:
    """The likeliest label or the median number of each row, (B,), which do not depend on the noise."""
    if isinstance(distribution, Categorical):
        return distribution.logits.argmax(1)
    return quantile(distribution, torch.full((len(noise),), 0.5, device=noise.device))


@torch.no_grad()
def complete_best(
    model: GenerativeModel,
    batch: Batch,
    targets: Iterable[str],
    noise: RowNoise,
    *,
    evidence: Batch | None = None,
    **options: Any,
) -> dict[str, Tensor]:
    """Complete rows as `GenerativeModel.complete` does, with one best cell in place of a draw.

    A label is the likeliest and a number the median of its distribution given the present cells. Texts are the
    likeliest of 16 draws given these; images and sounds the ones of 8 draws that are nearest to the mean of the draws.

    Args:
        model: fitted model.
        batch: B rows.
        targets: column names.
        noise: random numbers of the rows.
        evidence: the same rows with the cells that labels and numbers are predicted from; `batch` by default.
        options: keywords of the model's `complete`.
    """
    names = [name for name in model.modalities if name in set(targets)]
    simple = [name for name in names if _has_best(model.modalities[name])]
    texts = [name for name in names if name not in simple and model.modalities[name].suffix is None]
    media = [name for name in names if name not in simple and name not in texts]
    predicted = model.predict(batch if evidence is None else evidence, simple, noise)
    found = {name: best_cells(each, noise) for name, each in predicted.items()}
    rows = with_cells(batch, found)
    for name in texts:
        draws = [model.complete(rows, [name], noise, **options)[name] for _ in range(_TEXT_DRAWS)]
        found[name] = _likeliest(model, rows, name, draws, noise)
        rows = with_cells(rows, {name: found[name]})
    if media:
        drawn = [model.complete(rows, media, noise, **options) for _ in range(_MEDIA_DRAWS)]
        distances = torch.stack([_distances([each[name] for each in drawn]) for name in media]).sum(0)
        nearest = distances.argmin(0)
        found |= {name: _chosen([each[name] for each in drawn], nearest) for name in media}
    return found


def _has_best(modality: Modality) -> bool:
    return modality.num_outcomes is not None or modality.is_ordered


def with_cells(
    batch: Batch, cells: Mapping[str, Tensor], where: Mapping[str, NDArray[np.bool_]] | None = None
) -> Batch:
    """The rows with further cells.

    Args:
        batch: B rows.
        cells: column -> scaled cells (B, ...) of types whose stored tensors are scaled ones.
        where: column -> boolean (B,), rows to set; by default those in which the cell is absent.
    """
    x, present = dict(batch.x), batch.present.clone()
    for name, values in cells.items():
        is_set = ~batch.mask(name) if where is None else torch.from_numpy(where[name]).to(present.device)
        x[name] = torch.where(broadcast_mask(is_set, values), values.to(x[name].dtype), x[name])
        present[:, batch.columns.index(name)] |= is_set
    return replace(batch, x=x, present=present)


def _likeliest(
    model: GenerativeModel, batch: Batch, name: str, draws: Sequence[Tensor], noise: RowNoise
) -> Tensor:
    """The likeliest of each row's draws; the nearest to their mean where the model has no likelihood of a text."""
    try:
        conditional = model.predict(batch.without(name), [name], noise)[name]
    except NotImplementedError:
        vectors = [model.modalities[name].linear_features(each) for each in draws]
        return _chosen(draws, _distances(vectors).argmin(0))
    scores = torch.stack([conditional.log_prob(each) for each in draws])
    return _chosen(draws, scores.argmax(0))


def _distances(draws: Sequence[Tensor]) -> Tensor:
    """Squared distances (K, B) of draws from their mean, as shares of the row's mean squared distance."""
    flat = torch.stack([each.flatten(1).float() for each in draws])
    squared = (flat - flat.mean(0)).square().sum(2)
    return squared / squared.mean(0).clamp_min(1e-12)


def _chosen(draws: Sequence[Tensor], numbers: Tensor) -> Tensor:
    stacked = torch.stack(list(draws))
    return stacked[numbers, torch.arange(len(numbers), device=numbers.device)]
