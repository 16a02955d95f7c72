"""Training losses of latent flows: the autoencoders' ELBO, flow matching, and likelihoods of cells given any others."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import cast

import torch
from pydantic import NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt
from torch import Tensor

from amodal.batch import Batch
from amodal.distributions import RowNoise, TokenSequence, Velocity, kl_to_standard
from amodal.modalities import Modality
from amodal.modalities.heads import BinnedHead, SoftmaxHead
from amodal.models.base import apply_to_present
from amodal.models.latent_flow.autoencoder import ColumnAutoencoder
from amodal.models.latent_flow.contrastive import info_nce
from amodal.models.latent_flow.masks import GivenMasks, given_masks
from amodal.models.latent_flow.model import LatentFlow
from amodal.models.latent_flow.path import LinearPath
from amodal.models.latent_flow.softmax_heads import can_share, softmax_losses
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


def mean_over_processes(numbers: Tensor) -> Tensor:
    """The numbers' mean over the processes that train together; themselves in a single one."""
    if not (torch.distributed.is_available() and torch.distributed.is_initialized()):
        return numbers
    total = numbers.clone()
    torch.distributed.all_reduce(total)
    return total / torch.distributed.get_world_size()


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

    Where no column has an autoencoder, rows are cheap to encode, and one mask of each kind is used.

    Each column's loss is divided by its entropy (`LatentFlow.target_nats`), so that all columns count alike, and its
    gradient into what columns share is scaled by the share of its gain that holds on held-out rows
    (`LatentFlow.generalisation`), so that a column that can only be memorised takes no part in it.

    Attributes:
        num_masks: random subsets a row.
        num_single_masks: subsets of one cell a row.
        num_rest_masks: subsets of all cells but one a row, under which linear predictions are used.
        num_text_masks: masks under which texts are scored, fewer for long ones; of a long text, one window a mask.
        num_flow_masks: masks under which flows are trained.
        num_times: times t a flow is trained on for each target cell.
        flow_weight: weight of the flow-matching loss, a mean over a latent's dimensions.
        augment: let encoders read `Modality.augment` cells while training.
        contrastive_weight: weight of `info_nce` between columns with an autoencoder, images and sounds, and all others:
            their encoders, the hardest to train, learn from all pairs of a batch's rows.
    """

    num_masks: PositiveInt = 1
    num_single_masks: NonNegativeInt = 3
    num_rest_masks: NonNegativeInt = 2
    num_text_masks: PositiveInt = 2
    num_flow_masks: PositiveInt = 2
    num_times: PositiveInt = 2
    flow_weight: NonNegativeFloat = 1.0
    augment: bool = True
    contrastive_weight: NonNegativeFloat = 1.0

    def __call__(self, model: LatentFlow, batch: Batch, noise: RowNoise, progress: float = 1.0) -> Loss:
        embeddings = model.column_embeddings(batch, noise if self.augment and model.training else None)
        repeats = self._repeats(model)
        masks = given_masks(
            batch.present,
            noise,
            min(repeats, self.num_masks),
            min(repeats, self.num_single_masks),
            min(repeats, self.num_rest_masks),
        )
        context = model.context(embeddings, masks.given)
        dropped = model.drop_out(context, noise) if model.training else context
        total = _without_weight(model)
        terms = {}
        shared = self._softmax_losses(model, batch, dropped, masks)
        all_weights = self._weights(model, batch, masks)
        totals = mean_over_processes(all_weights.sum((0, 1))).clamp_min(1e-9)
        for index, name in enumerate(model.modalities):
            weights = all_weights[:, :, index]
            if index in shared:
                losses = shared[index]
            else:
                targets = weights > 0
                mask, row = targets.nonzero(as_tuple=True)
                if not len(row):
                    # One cell of no weight: in distributed training each process must use the same parameters.
                    mask = row = torch.zeros(1, dtype=torch.int64, device=embeddings.device)
                # A flow is to follow its context closely: it does not over-fit, and reads it without dropout.
                seen = dropped if model.autoencoder(index) is None else context
                scaled = model.scale_gradient(seen[mask, row], index)
                losses = self._target_losses(model, index, batch, scaled, masks, mask, row, noise)
                losses, weights = torch.where(targets[mask, row], losses, 0.0), weights[mask, row]
            mean = (losses * weights).sum() / totals[index]
            total = total + mean / model.target_nats[index]
            terms[name] = mean.detach()
        if self.contrastive_weight:
            hard = torch.tensor([each.latent is not None for each in model.modalities.values()])
            contrast = info_nce(embeddings, batch.present, hard)
            total = total + self.contrastive_weight * contrast
            terms["info_nce"] = contrast.detach()
        return Loss(total, terms)

    def _repeats(self, model: LatentFlow) -> int:
        """Most masks of a kind: one where no column has an autoencoder."""
        return (
            max(self.num_masks, self.num_single_masks, self.num_rest_masks) if len(model.autoencoders) else 1
        )

    def _num_scored(self, modality: Modality, masks: int, repeats: int) -> int:
        """The first of so many masks under which a column is scored."""
        if modality.latent is not None:
            return min(masks, self.num_flow_masks)
        if modality.scoring_cost:
            return max(1, round(min(repeats, self.num_text_masks) / modality.scoring_cost))
        return masks

    def _weights(self, model: LatentFlow, batch: Batch, masks: GivenMasks) -> Tensor:
        """Weights (K, B, M) of each cell's loss under each mask, zero where it is no target or not scored."""
        count, repeats, device = len(masks.given), self._repeats(model), batch.present.device
        scored = [self._num_scored(modality, count, repeats) for modality in model.modalities.values()]
        is_scored = torch.arange(count, device=device)[:, None] < torch.tensor(scored, device=device)
        targets = batch.present & ~masks.given & is_scored[:, None]
        return torch.where(targets, masks.weights[:, None, None], 0.0)

    def _softmax_losses(
        self, model: LatentFlow, batch: Batch, context: Tensor, masks: GivenMasks
    ) -> dict[int, Tensor]:
        """Losses (K, B) of all softmax heads, by column; arbitrary where a cell is not a target."""
        heads = {
            index: cast(SoftmaxHead, head) for index, head in enumerate(model.generators) if can_share(head)
        }
        if not heads:
            return {}
        count, rows = masks.is_rest.shape
        contexts = context.flatten(0, 1)
        cells = {index: model.cells(index, batch) for index in heads}
        outcomes = torch.stack([heads[index].outcome(cells[index]) for index in heads], 1)
        linear = [model.linear_cache.get(index) for index in heads]
        losses = softmax_losses(
            list(heads.values()),
            contexts,
            outcomes.repeat(count, 1),
            model.generalisation[list(heads)],
            [None if cached is None else cached[batch.rows].repeat(count, 1) for cached in linear],
            masks.is_rest.flatten(),
        )
        found = dict(zip(heads, losses.view(count, rows, -1).unbind(2), strict=True))
        for index, head in heads.items():
            if isinstance(head, BinnedHead):
                within = head.within_log_prob(contexts, cells[index].repeat(count))
                found[index] = found[index] - within.view(count, rows)
        return found

    def _target_losses(
        self,
        model: LatentFlow,
        index: int,
        batch: Batch,
        context: Tensor,
        masks: GivenMasks,
        mask: Tensor,
        row: Tensor,
        noise: RowNoise,
    ) -> Tensor:
        """Losses (T,) of one column's target cells, given contexts (T, C) of masks (T,) and rows (T,)."""
        generator = model.generators[index]
        if not isinstance(generator, VelocityNetwork):
            linear = model.cached_linear(index, batch.rows[row], masks.is_rest[mask, row])
            likelihood, cells = model.likelihood(index, context, linear), model.cells(index, batch)[row]
            if isinstance(likelihood, TokenSequence):
                return -likelihood.estimate_log_prob(cells, noise.uniform(self.num_text_masks)[row, mask])
            return -likelihood.log_prob(cells)
        # Drawn for all masks of all rows, so that a row's numbers depend on no other row.
        count = self.num_flow_masks * self.num_times
        normal, times = noise.normal(2, count, generator.size), noise.uniform(count)
        draw = mask * self.num_times + torch.arange(self.num_times, device=row.device)[:, None]
        x_1 = model.latents(index, batch)[row].reparameterise(normal[row, 1, draw])
        velocity = partial(generator, context=generator.context_proj(context))
        loss = flow_matching_loss(velocity, normal[row, 0, draw], x_1, times[row, draw])
        return self.flow_weight / generator.size * loss


def _without_weight(model: LatentFlow) -> Tensor:
    """Zero, as a function of what only linear predictions use.

    In distributed training each process must use the same parameters in each step.
    """
    heads = [head for head in model.generators if isinstance(head, SoftmaxHead)]
    weights: list[Tensor] = [head.tilt_weights for head in heads]
    weights += [head.scores_proj.weight.flatten() for head in heads if isinstance(head, BinnedHead)]
    return 0.0 * torch.cat([torch.zeros(1, device=model.device), *weights]).sum()
