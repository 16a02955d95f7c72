"""Cache of the autoencoders' latents, for training the flows without encoding a row in each step."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import torch

from amodal.batch import Batch
from amodal.distributions import Gaussians
from amodal.models.latent_flow.model import LatentFlow


@contextmanager
def cache_latents(model: LatentFlow, batches: Iterable[Batch], count: int | None = None) -> Iterator[None]:
    """Encode rows 0 to N-1 once by the trained autoencoders, for `LatentFlow.latents` to read.

    Also fits the autoencoders' latent statistics. The cache is not part of the saved model.

    Args:
        model: model with trained autoencoders.
        batches: the rows, in any order.
        count: N, where `batches` may end before all rows; nothing is cached then, and `latents` encodes.
    """
    try:
        _fill(model, batches, count)
        yield
    finally:
        model.latent_cache.clear()


@torch.no_grad()
def _fill(model: LatentFlow, batches: Iterable[Batch], count: int | None) -> None:
    autoencoders = {
        index: each for index in range(len(model.modalities)) if (each := model.autoencoder(index))
    }
    posteriors: dict[int, list[Gaussians]] = {index: [] for index in autoencoders}
    rows, present = [], []
    for batch in batches:
        rows.append(batch.rows)
        present.append(batch.present)
        for index, autoencoder in autoencoders.items():
            posteriors[index].append(autoencoder.posterior(model.cells(index, batch)))
    order = torch.cat(rows).argsort()
    for index, autoencoder in autoencoders.items():
        posterior = Gaussians.cat(posteriors[index])[order]
        autoencoder.fit_latent_stats(posterior[torch.cat(present)[order, index]])
        if count is None or len(order) == count:
            model.latent_cache[index] = autoencoder.normalised(posterior)
