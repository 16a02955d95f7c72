"""Flows learned anew as a few jumps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor

from amodal.batch import Batch
from amodal.distributions import Flow, RowNoise
from amodal.models.latent_flow.losses import AnyOrder
from amodal.models.latent_flow.model import LatentFlow
from amodal.models.objective import Loss, Objective


@dataclass(frozen=True)
class DistillationLoss(Objective[LatentFlow]):
    """The squared distance of jumps to the parts of the flows' paths that they stand for.

    A guided flow leads noise to a latent in many steps; a jump learns where the path has come to after its part of
    the way, which is one place for each noise and context, so that nothing is averaged away (progressive
    distillation: Salimans & Ho, arXiv 2202.00512; guidance with it: Meng et al., arXiv 2210.03142).

    Attributes:
        splits: how given cells are drawn, as in the training of the flows.
        steps: of the solver whose paths are learned; a multiple of the model's jumps.
    """

    splits: AnyOrder = AnyOrder(splits=1, single=1)  # noqa: RUF009 - frozen, as a number is
    steps: int = 4

    def __call__(self, model: LatentFlow, batch: Batch, noise: RowNoise, progress: float = 1.0) -> Loss:
        with torch.no_grad():
            given = self.splits.given(batch.present, noise)
            told = model.told(batch).repeat(len(given), 1, 1)
            context = model.context(told, given.flatten(0, 1))
        total = torch.zeros((), device=context.device)
        terms = {}
        for index, name in enumerate(model.modalities):
            if model.autoencoder(index) is None:
                continue
            apart = self._apart(model, index, context, noise, len(given))
            left = ~given[:, :, index].flatten()
            total = total + torch.where(left, apart, 0.0).mean()
            terms[name] = (torch.where(left, apart, 0.0).sum() / left.sum().clamp_min(1)).detach()
        return Loss(total, terms)

    def _apart(self, model: LatentFlow, index: int, context: Tensor, noise: RowNoise, splits: int) -> Tensor:
        """Of each context (T, C), how far its jumps end from the flow's path, in squared distance a jump, (T,)."""
        flow = cast("Flow", model.conditional(index, context, guidance=model.guidance, steps=self.steps))
        start = noise.normal(splits, flow.event_shape[0]).transpose(0, 1).flatten(0, 1)[None]
        places = torch.cat(flow.path(start)[:: self.steps // model.jumps])
        shortcut = model.shortcut(index, context)
        times = torch.arange(model.jumps, device=start.device)[:, None].expand(-1, len(context)) / model.jumps
        velocity = shortcut.velocity(places[:-1], times)
        return (velocity - model.jumps * (places[1:] - places[:-1])).square().sum(-1).mean(0)
