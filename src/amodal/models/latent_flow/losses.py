"""Training losses of latent flows: autoencoders first, then the conditionals of every column given any others."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import torch
from pydantic import NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt
from torch import Tensor
from torch.nn import functional

from amodal.batch import Batch
from amodal.distributions import RowNoise, TokenSequence, Velocity, kl_to_standard
from amodal.modalities import Modality
from amodal.models.base import apply_to_present
from amodal.models.latent_flow.autoencoder import ColumnAutoencoder
from amodal.models.latent_flow.masks import given_masks
from amodal.models.latent_flow.model import LatentFlow
from amodal.models.latent_flow.path import LinearPath
from amodal.models.objective import Loss, Objective
from amodal.nn import VelocityNetwork


def flow_matching_loss(velocity: Velocity, x_0: Tensor, x_1: Tensor, t: Tensor) -> Tensor:
    """Conditional flow-matching loss E ||v(x_t, t) - (x_1 - x_0)||^2 (Lipman et al., arXiv 2210.02747).

    Args:
        velocity: v, the model.
        x_0: noise (K, B, D).
        x_1: data (K, B, D).
        t: times (K, B) in [0, 1].

    Returns:
        (B,), the mean over the K points of the squared error, summed over D.
    """
    path = LinearPath(x_0, x_1)
    return (velocity(path.point(t), t) - path.velocity).square().sum(-1).mean(0)


def info_nce(embeddings: Tensor, present: Tensor, temperature: float = 0.1) -> Tensor:
    """InfoNCE (van den Oord et al., arXiv 1807.03748) between each pair of columns, in nats, a scalar.

    For columns i > j and row b, -log softmax_b'(cos(e_bi, e_b'j) / temperature) at b' = b: cells of one row against
    those of the batch's other rows, averaged over the rows that have both.

    Args:
        embeddings: (B, M, C).
        present: boolean (B, M).
        temperature: divisor of the cosine similarities.
    """
    directions = functional.normalize(embeddings, dim=-1)
    losses, counts = embeddings.new_zeros(()), embeddings.new_zeros(())
    for i in range(embeddings.shape[1]):
        for j in range(i):
            both = present[:, i] & present[:, j]
            logits = directions[:, i] @ directions[:, j].T / temperature
            logits = logits.masked_fill(~both[None], -1e4)
            target = torch.arange(len(both), device=both.device)
            loss = functional.cross_entropy(logits, target, reduction="none")
            losses = losses + torch.where(both, loss, 0.0).sum()
            counts = counts + both.sum()
    return losses / counts.clamp_min(1)


@dataclass(frozen=True)
class ColumnELBO(Objective[LatentFlow]):
    """Sum over the columns with an autoencoder of E_q log p(x_m | z_m) - beta KL(q(z_m | x_m) || N(0, I)), negated.

    Each column's bound is multiplied by `likelihood_weight / Modality.size`, so that all columns count alike. Rows
    need not be paired.

    Attributes:
        beta: weight of the divergence (beta-VAE). Below 1, since a flow matches latents of any distribution, while
            no flow restores what an autoencoder loses.
        likelihood_weight: weight of a column, in nats at a noise scale of one.
    """

    beta: NonNegativeFloat = 0.5
    likelihood_weight: PositiveFloat = 100.0

    def __call__(self, model: LatentFlow, batch: Batch, noise: RowNoise, progress: float = 1.0) -> Loss:
        total = torch.zeros((), device=batch.present.device)
        terms = {}
        for index, (name, modality) in enumerate(model.modalities.items()):
            autoencoder = model.autoencoder(index)
            if autoencoder is None:
                continue
            present, eps = batch.present[:, index], noise.normal(autoencoder.latent)
            bound = apply_to_present(partial(self._elbo, autoencoder, modality), present, batch.x[name], eps)
            total = total - self.likelihood_weight / modality.size * bound.mean()
            terms[name] = (bound.sum() / present.sum().clamp_min(1)).detach()
        return Loss(total, terms)

    def _elbo(
        self, autoencoder: ColumnAutoencoder, modality: Modality, stored: Tensor, eps: Tensor
    ) -> Tensor:
        """The bound (B,) of stored cells, for one latent each, reparameterised by eps (B, D)."""
        cells = modality.scale(stored)
        posterior = autoencoder.posterior(cells)
        likelihood = autoencoder.decoder(posterior.reparameterise(eps))
        return likelihood.log_prob(cells) - self.beta * kl_to_standard(posterior)


@dataclass(frozen=True)
class AnyOrderLoss(Objective[LatentFlow]):
    """Negative conditional log-likelihoods log p(x_m | x_S) of the present cells m outside S, for random subsets S.

    The order-agnostic objective of Uria et al. (arXiv 1310.1757), with the subsets of `given_masks`. A column with an
    autoencoder has the flow-matching loss of its latent instead of a likelihood; the autoencoder is not trained.
    Categories and numbers, the cheapest, are scored under all masks.

    Attributes:
        num_masks: random subsets a row.
        num_single_masks: subsets of one cell a row.
        num_text_masks: masks under which texts are scored, fewer for long ones; of a long text, one window a mask.
        num_flow_masks: masks under which flows are trained.
        num_times: times t a flow is trained on for each target cell.
        flow_weight: weight of the flow-matching loss.
        augment: let encoders read `Modality.augment` cells while training.
        contrastive_weight: weight of `info_nce` between the columns' embeddings.
    """

    num_masks: PositiveInt = 1
    num_single_masks: NonNegativeInt = 3
    num_text_masks: PositiveInt = 3
    num_flow_masks: PositiveInt = 2
    num_times: PositiveInt = 2
    flow_weight: NonNegativeFloat = 0.125
    augment: bool = True
    contrastive_weight: NonNegativeFloat = 0.0

    def __call__(self, model: LatentFlow, batch: Batch, noise: RowNoise, progress: float = 1.0) -> Loss:
        embeddings = model.column_embeddings(batch, noise if self.augment and model.training else None)
        given = given_masks(batch.present, noise, self.num_masks, self.num_single_masks)
        masks, rows, columns = given.shape
        context = model.context(embeddings.repeat(masks, 1, 1), given.view(-1, columns)).view(masks, rows, -1)
        total = torch.zeros((), device=embeddings.device)
        terms = {}
        for index, (name, modality) in enumerate(model.modalities.items()):
            scored = masks
            if modality.latent is not None:
                scored = min(masks, self.num_flow_masks)
            elif modality.scoring_cost:
                scored = min(masks, max(1, round(self.num_text_masks / modality.scoring_cost)))
            targets = batch.present[:, index] & ~given[:scored, :, index]
            mask, row = targets.nonzero(as_tuple=True)
            if not len(row):
                # One cell of no weight: in distributed training each process must use the same parameters.
                mask = row = torch.zeros(1, dtype=torch.int64, device=embeddings.device)
            losses = self._target_losses(model, index, batch, context[mask, row], mask, row, noise)
            losses = torch.where(targets[mask, row], losses, 0.0)
            total = total + losses.sum() / targets.numel()
            terms[name] = losses.detach().sum() / targets.sum().clamp_min(1)
        if self.contrastive_weight:
            contrast = info_nce(embeddings, batch.present)
            total = total + self.contrastive_weight * contrast
            terms["info_nce"] = contrast.detach()
        return Loss(total, terms)

    def _target_losses(
        self,
        model: LatentFlow,
        index: int,
        batch: Batch,
        context: Tensor,
        mask: Tensor,
        row: Tensor,
        noise: RowNoise,
    ) -> Tensor:
        """Losses (T,) of one column's target cells, given contexts (T, C) of masks (T,) and rows (T,)."""
        generator = model.generators[index]
        if not isinstance(generator, VelocityNetwork):
            likelihood, cells = generator(context), model.cells(index, batch)[row]
            if isinstance(likelihood, TokenSequence):
                return -likelihood.estimate_log_prob(cells, noise.uniform(self.num_text_masks)[row, mask])
            return -likelihood.log_prob(cells)
        # Drawn for all masks of all rows, so that a row's numbers depend on no other row.
        count = self.num_flow_masks * self.num_times
        normal, times = noise.normal(2, count, generator.size), noise.uniform(count)
        draw = mask * self.num_times + torch.arange(self.num_times, device=row.device)[:, None]
        x_1 = model.latents(index, batch)[row].reparameterise(normal[row, 1, draw])
        velocity = partial(generator, context=generator.context_proj(context))
        return self.flow_weight * flow_matching_loss(velocity, normal[row, 0, draw], x_1, times[row, draw])
