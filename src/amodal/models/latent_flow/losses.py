"""The likelihood of each column given any others."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from amodal.batch import Batch
from amodal.distributions import Gaussians, RowNoise
from amodal.models.latent_flow.model import LatentFlow
from amodal.models.objective import Loss, Objective
from amodal.nn import VelocityNetwork

_TEMPERATURE = 0.1


@dataclass(frozen=True)
class AnyOrder(Objective[LatentFlow]):
    """Log-likelihoods of the cells that are not given, over random splits of each row to given and targets.

    A split gives each present cell with one chance, itself drawn evenly from 0 to 1: all sizes of what is given
    come up equally often, nothing and all but one included. Of eight columns such a split hardly ever gives one
    alone, which is what translating asks for, so that further splits give one random cell. Cheap columns (categories
    and numbers) are scored on all splits, texts and flows on some.

    A flow's term is the flow-matching loss (Lipman et al., arXiv 2210.02747), which no likelihood is but which has
    its gradient's purpose; latents come from the column's autoencoder, which is not trained here.

    Attributes:
        splits: random splits of each row.
        single: splits that give one cell.
        of_text: splits on which texts are scored.
        of_flow: splits on which flows are trained.
        draws: points of its path that a flow is trained on for each cell.
        flow_weight: weight of each dimension's squared error.
        augmented: whether encoders are shown cells as `Modality.augment` gives them, while training.
        contrast: weight of the contrastive term, see `_contrast`.
    """

    splits: int = 1
    single: int = 3
    of_text: int = 3
    of_flow: int = 2
    draws: int = 2
    flow_weight: float = 0.125
    augmented: bool = True
    contrast: float = 0.0

    def __call__(self, model: LatentFlow, batch: Batch, noise: RowNoise, progress: float = 1.0) -> Loss:
        told = model.told(batch, noise if self.augmented and model.training else None)
        given = self.given(batch.present, noise)
        splits, rows, columns = given.shape
        context = model.context(told.repeat(splits, 1, 1), given.view(-1, columns)).view(splits, rows, -1)
        total = torch.zeros((), device=told.device)
        terms = {}
        for index, (name, modality) in enumerate(model.modalities.items()):
            used = splits
            if modality.latent is not None:
                used = min(splits, self.of_flow)
            elif modality.costly:
                used = min(splits, self.of_text)
            # A cell's split and row, for all cells that are targets.
            split, row = (batch.present[:, index] & ~given[:used, :, index]).nonzero(as_tuple=True)
            if not len(row):
                # Nothing to learn here, of any cell and with no weight: processes must all use the same weights.
                split = row = torch.zeros(1, dtype=torch.int64, device=told.device)
            counted = batch.present[row, index] & ~given[split, row, index]
            losses = self._losses(model, index, batch, context[split, row], split, row, noise)
            losses = torch.where(counted, losses, 0.0)
            total = total + losses.sum() / (used * rows)
            terms[name] = losses.detach().sum() / counted.sum().clamp_min(1)
        if self.contrast:
            apart = _contrast(told, batch.present)
            total = total + self.contrast * apart
            terms["contrast"] = apart.detach()
        return Loss(total, terms)

    def given(self, present: Tensor, noise: RowNoise) -> Tensor:
        """What each split gives of cells that are present, boolean (splits, B, M)."""
        columns = present.shape[1]
        parts = []
        for _ in range(self.splits):
            chance = noise.uniform(1)
            parts.append(present & (noise.uniform(columns) < chance))
        for _ in range(self.single):
            place = torch.where(present, noise.uniform(columns), -1.0)
            parts.append(present & functional.one_hot(place.argmax(1), columns).bool())
        return torch.stack(parts)

    def _losses(
        self,
        model: LatentFlow,
        index: int,
        batch: Batch,
        context: Tensor,
        split: Tensor,
        row: Tensor,
        noise: RowNoise,
    ) -> Tensor:
        """The loss of each of T target cells, given its context (T, C), split (T,) and row (T,)."""
        generator, autoencoder = model.generators[index], model.autoencoder(index)
        if autoencoder is None or not isinstance(generator, VelocityNetwork):
            return -generator(context).log_prob(model.cells(index, batch)[row])
        posterior = model.latents(index, batch)
        latents = Gaussians(posterior.mean[row], posterior.log_variance[row])
        # Numbers are drawn for all splits of all rows, so that a row's depend on no other row.
        count = self.of_flow * self.draws
        pool, times = noise.normal(2, count, autoencoder.latent), noise.uniform(count)
        turn = split * self.draws + torch.arange(self.draws, device=row.device)[:, None]
        start, deviation = pool[row, 0, turn], pool[row, 1, turn]
        end = latents.mean + torch.exp(0.5 * latents.log_variance) * deviation
        time = times[row, turn]
        points = start + time[..., None] * (end - start)
        velocity = generator(points, time, generator.told(context))
        return self.flow_weight * (velocity - (end - start)).square().sum(-1).mean(0)


def _contrast(told: Tensor, present: Tensor) -> Tensor:
    """How badly what two columns tell of one row is told from what they tell of other rows, in nats.

    InfoNCE (van den Oord et al., arXiv 1807.03748) between each two columns, over the rows that have both.
    """
    directions = functional.normalize(told, dim=-1)
    losses, counts = told.new_zeros(()), told.new_zeros(())
    for one in range(told.shape[1]):
        for other in range(one):
            both = present[:, one] & present[:, other]
            alike = directions[:, one] @ directions[:, other].T / _TEMPERATURE
            alike = alike.masked_fill(~both[None], -1e4)
            right = torch.arange(len(both), device=both.device)
            loss = functional.cross_entropy(alike, right, reduction="none")
            losses = losses + torch.where(both, loss, 0.0).sum()
            counts = counts + both.sum()
    return losses / counts.clamp_min(1)
