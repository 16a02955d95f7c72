"""Latents, marginals and linear predictions of all rows, before the conditionals are trained."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from amodal.batch import Batch
from amodal.distributions import Gaussians
from amodal.modalities.heads import MarginalHead, SoftmaxHead
from amodal.models.latent_flow.model import FLOW_BASE, LatentFlow

_DROPOUT = 0.2
_DROPOUT_ROWS = 4_000
_MAX_DROPOUT = 0.5
"""Dropout of contexts is `_DROPOUT` with `_DROPOUT_ROWS` rows, and rises with the root of fewer ones up to this."""
_MOST_FEATURES = 400_000_000
"""Numbers of all rows' linear features, above which there are no linear predictions."""


@contextmanager
def prepare_conditionals(
    model: LatentFlow,
    batches: Iterable[Batch],
    count: int | None = None,
    held_out: Tensor | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> Iterator[None]:
    """Read rows 0 to N-1 once, and keep for training what does not change in it.

    These are the trained autoencoders' latents, for `LatentFlow.latents` to read, and the linear predictions, for
    `LatentFlow.cached_linear`; they are not part of the saved model. The heads begin at their columns' frequencies,
    and at the likeliest weights of linear predictions; a resumed run keeps the weights that it has trained.

    Args:
        model: model with trained autoencoders.
        batches: the rows, in any order.
        count: N, where `batches` may end before all rows; nothing is cached then, and `latents` encodes.
        held_out: numbers of the rows that nothing is fitted to, unless they are all.
        stop: called before each fit of a linear prediction; true leaves the others out.
    """
    try:
        _fill(model, batches, count, held_out, stop)
        yield
    finally:
        model.latent_cache.clear()
        model.linear_cache.clear()


@torch.no_grad()
def _fill(
    model: LatentFlow,
    batches: Iterable[Batch],
    count: int | None,
    held_out: Tensor | None,
    stop: Callable[[], bool],
) -> None:
    columns = list(model.modalities.values())
    autoencoders = {index: each for index in range(len(columns)) if (each := model.autoencoder(index))}
    posteriors: dict[int, list[Gaussians]] = {index: [] for index in autoencoders}
    heads = {index: head for index, head in enumerate(model.generators) if isinstance(head, SoftmaxHead)}
    is_linear = count is not None and count * sum(model.experts.sizes) <= _MOST_FEATURES
    marginal = {index: head for index, head in enumerate(model.generators) if isinstance(head, MarginalHead)}
    cells: dict[int, list[Tensor]] = {index: [] for index in marginal}
    features: list[list[Tensor]] = [[] for _ in columns]
    rows, masks = [], []
    for batch in batches:
        rows.append(batch.rows)
        masks.append(batch.present)
        for index, modality in enumerate(columns):
            scaled = model.cells(index, batch)
            if index in autoencoders:
                posteriors[index].append(autoencoders[index].posterior(scaled))
            if index in marginal:
                cells[index].append(scaled)
            if is_linear and model.experts.outputs:
                features[index].append(modality.linear_features(scaled))
    order, present = torch.cat(rows).argsort(), torch.cat(masks)
    present = present[order]
    is_whole = count is None or len(order) == count
    training = torch.ones(len(order), dtype=torch.bool, device=present.device)
    if held_out is not None and is_whole and len(held_out) < len(order):
        training[held_out.to(training.device)] = False
    for index, autoencoder in autoencoders.items():
        model.set_target_nats(index, FLOW_BASE)
        posterior = Gaussians.cat(posteriors[index])[order]
        autoencoder.fit_latent_stats(posterior[present[:, index]])
        if is_whole:
            model.latent_cache[index] = autoencoder.normalised(posterior)
    model.dropout = min(_MAX_DROPOUT, _DROPOUT * math.sqrt(_DROPOUT_ROWS / max(1, len(order))))
    known = {index: torch.cat(parts)[order] for index, parts in cells.items()}
    for index, head in marginal.items():
        model.set_target_nats(index, head.fit_marginal(known[index][training & present[:, index]]))
    if not (is_linear and is_whole and model.experts.outputs):
        return
    targets = {
        index: head.linear_targets(known[index])
        for index, head in heads.items()
        if index in model.experts.outputs
    }
    before = model.experts.max_missing.clone()
    found = model.experts.fit(
        [torch.cat(features.pop(0))[order] for _ in columns], present, targets, training, stop
    )
    for index, scores in found.items():
        usable = training & present[:, index]
        if before[index] < 0:
            heads[index].fit_tilt(known[index][usable], scores[usable])
        model.linear_cache[index] = scores
