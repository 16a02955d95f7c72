"""Calibration of the softmax heads on held-out rows."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from amodal.batch import Batch
from amodal.distributions import RowNoise
from amodal.modalities.heads import SoftmaxHead
from amodal.models.latent_flow.masks import subset_mask
from amodal.models.latent_flow.model import LatentFlow

_SEED = 987_654_322


def calibrate_heads(model: LatentFlow, batches: Iterable[Batch]) -> None:
    """Set how sharp each softmax head is, and how much its linear predictions count, by held-out rows.

    Each present cell is scored given all others of its row, and given a random part of them (temperature scaling:
    Guo et al., arXiv 1706.04599, with the column's frequencies in place of equal ones).

    Args:
        model: trained model, in evaluation mode, within `prepare_conditionals`.
        batches: held-out rows.
    """
    heads = {index: head for index, head in enumerate(model.generators) if isinstance(head, SoftmaxHead)}
    found: dict[int, list[tuple[Tensor, Tensor, Tensor]]] = {index: [] for index in heads}
    for batch in batches:
        for index, scored in _scores(model, batch, heads).items():
            found[index].append(scored)
    for index, head in heads.items():
        if not found[index]:
            continue
        tilts, linear, cells = (torch.cat(parts) for parts in zip(*found[index], strict=True))
        if len(cells):
            head.calibrate(tilts, linear, cells)


@torch.no_grad()
def _scores(
    model: LatentFlow, batch: Batch, heads: dict[int, SoftmaxHead]
) -> dict[int, tuple[Tensor, Tensor, Tensor]]:
    """Tilts of the network and of linear predictions, (N, K) each, and cells (N,), by column."""
    embeddings = model.column_embeddings(batch)
    part = subset_mask(batch.present, RowNoise(_SEED, batch.rows))
    found = {}
    for index, head in heads.items():
        present = batch.present[:, index]
        rest, some = batch.present.clone(), part.clone()
        rest[:, index] = some[:, index] = False
        contexts = model.context(embeddings, torch.stack([rest, some]))[:, present]
        cached = model.linear_cache.get(index)
        count = contexts.shape[1]
        scores, usable = None, None
        linear = contexts.new_zeros(2 * count, len(head.log_prior))
        if cached is not None:
            scores = cached[batch.rows[present]].repeat(2, 1)
            usable = torch.arange(2 * count, device=scores.device) < count
            linear = torch.where(usable[:, None], head.linear_tilt(scores), 0.0)
        tilts = head(contexts.flatten(0, 1), scores, usable).logits - head.log_prior - linear
        cells = model.cells(index, batch)[present]
        # torch.distributions.Categorical normalises its logits; a softmax of both is the same.
        found[index] = (tilts, linear, cells.repeat(2))
    return found
