"""Any-order completion: each column drawn given any others, pictures and sounds by flows over latents."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import cast

import torch
from torch import Tensor, nn
from torch.distributions import Distribution

from amodal.batch import Batch
from amodal.distributions import FewStepFlow, Flow, Gaussians, RowNoise, TokenSequence, draw, guided
from amodal.modalities import Modality
from amodal.models.base import GenerativeModel, apply_to_present, zero_missing
from amodal.models.latent_flow.autoencoder import ColumnAutoencoder
from amodal.nn import ContextNetwork, VelocityNetwork, precision


class LatentFlow(GenerativeModel):
    """A context of whichever cells are given, and a conditional distribution of each column given the context.

    Encoders tell a context network of the given cells. Columns whose likelihood is exact (categories, texts,
    numbers) are drawn from it, given the context; a picture's or sound's latent, that of the column's own
    autoencoder, is drawn by a flow, given the context, and decoded. Several targets are drawn one after
    another, each given those before, so that a row agrees with itself. An absent cell is never given and never
    a target, so rows with holes and columns that never meet train as others do.

    The parts are known: any-order conditionals (Uria et al., arXiv 1310.1757), flows over autoencoders' latents
    (Bounoua et al., arXiv 2306.04445, with diffusion), classifier-free guidance (Ho & Salimans, arXiv 2207.12598).

    Args:
        modalities: column name -> fitted modality.
        latent: size of the context, which is also what `embed` gives.
        features: size of what each encoder gives.
        guidance: how far a flow, and a text's words, go from what they do with nothing given towards what they do
            given the context: 1 is their own distribution, more is less varied and agrees better with what is given.
        steps: of the flows' solver.
        jumps: that stand for a flow's path when draws shall be fast.
    """

    def __init__(
        self,
        modalities: Mapping[str, Modality],
        *,
        latent: int = 256,
        features: int = 256,
        guidance: float = 1.5,
        steps: int = 8,
        jumps: int = 2,
    ) -> None:
        super().__init__(modalities)
        columns = list(modalities.values())
        self.latent = latent
        self.guidance = guidance
        self.steps = steps
        self.jumps = jumps
        self._kept: dict[int, Gaussians] = {}
        self.encoders = nn.ModuleList(modality.encoder(features) for modality in columns)
        self.context_network = ContextNetwork(len(columns), features, latent)
        self.autoencoders = nn.ModuleDict(
            {
                str(index): ColumnAutoencoder(modality, features)
                for index, modality in enumerate(columns)
                if modality.latent is not None
            }
        )
        self.generators = nn.ModuleList(
            modality.head(latent) if modality.latent is None else VelocityNetwork(modality.latent, latent)
            for modality in columns
        )
        self.shortcuts = nn.ModuleDict(
            {
                str(index): VelocityNetwork(modality.latent, latent)
                for index, modality in enumerate(columns)
                if modality.latent is not None
            }
        )

    @property
    def order(self) -> tuple[int, ...]:
        """The columns' numbers in the order in which they are drawn: exact likelihoods first, then flows."""

        def rank(index: int) -> tuple[bool, int, int, str]:
            name, modality = list(self.modalities.items())[index]
            return modality.latent is not None, modality.draw_rank, modality.latent or 0, name

        return tuple(sorted(range(len(self.modalities)), key=rank))

    def autoencoder(self, index: int) -> ColumnAutoencoder | None:
        """The autoencoder of a column, None for one whose likelihood is exact."""
        key = str(index)
        return self._own(index) if key in self.autoencoders else None

    def autoencoder_weights(self) -> dict[str, str]:
        """Of columns with an autoencoder, what the names of its weights begin with."""
        return {
            name: f"autoencoders.{index}."
            for index, name in enumerate(self.modalities)
            if self.autoencoder(index)
        }

    def cells(self, index: int, batch: Batch) -> Tensor:
        """What encoders read and likelihoods score of a column; zeros where a cell is absent."""
        name, modality = list(self.modalities.items())[index]
        return zero_missing(modality.scale(batch.x[name]), batch.present[:, index])

    def told(self, batch: Batch, augmentation: RowNoise | None = None) -> Tensor:
        """What each cell tells the context, (B, M, C); an absent cell nothing, which is zeros.

        With noise for it, encoders read cells as `Modality.augment` gives them.
        """
        each = []
        for index, (name, modality) in enumerate(self.modalities.items()):
            cells = modality.scale(batch.x[name])
            if augmentation:
                cells = modality.augment(cells, augmentation)
            each.append(apply_to_present(partial(self._tells, index), batch.present[:, index], cells))
        return torch.stack(each, dim=1)

    def _tells(self, index: int, cells: Tensor) -> Tensor:
        """What cells of one column tell the context, (B, C)."""
        return self.context_network.columns[index](self.encoders[index](cells))

    def context(self, told: Tensor, given: Tensor) -> Tensor:
        """The context (B, C) of the cells that are given, boolean (B, M)."""
        return self.context_network(told, given)

    def conditional(
        self,
        index: int,
        context: Tensor,
        *,
        guidance: float = 1.0,
        steps: int | None = None,
        numbers: Tensor | None = None,
    ) -> Distribution:
        """A column's distribution given contexts (B, C): of its cells, or of its normalised latents.

        Args:
            index: the column's.
            context: what is given.
            guidance: of a flow, or of a text's words; categories and numbers keep their own distribution.
            steps: of a flow's solver; the model's by default.
            numbers: the rows' (B,), on which the estimate of a flow's densities depends; 0 to B-1 by default.
        """
        generator = self.generators[index]
        if not isinstance(generator, VelocityNetwork):
            given: Distribution = generator(context)
            if guidance == 1.0 or not isinstance(given, TokenSequence):
                return given
            return guided(given, generator(self._nothing(context).expand_as(context)), guidance)
        told = generator.told(context)
        nothing = generator.told(self._nothing(context))

        def velocity(points: Tensor, times: Tensor) -> Tensor:
            given = generator(points, times, told)
            if guidance == 1.0:
                return given
            return torch.lerp(generator(points, times, nothing), given, guidance)

        return Flow(
            velocity,
            len(context),
            generator.size,
            steps=steps or self.steps,
            device=context.device,
            numbers=numbers,
        )

    def shortcut(self, index: int, context: Tensor) -> FewStepFlow:
        """What a column's flow, guided as by default, draws of latents given contexts (B, C), in a few jumps."""
        network = cast(VelocityNetwork, self.shortcuts[str(index)])
        told = network.told(context)
        return FewStepFlow(
            lambda points, times: network(points, times, told),
            len(context),
            network.size,
            steps=self.jumps,
            device=context.device,
        )

    def begin_shortcuts(self) -> None:
        """Let shortcuts begin as the flows they stand for."""
        for key, network in self.shortcuts.items():
            network.load_state_dict(self.generators[int(key)].state_dict())

    def _nothing(self, context: Tensor) -> Tensor:
        """The context of a row with nothing given, (1, C)."""
        columns = len(self.modalities)
        told = context.new_zeros(1, columns, context.shape[1])
        return self.context(told, torch.zeros(1, columns, dtype=torch.bool, device=context.device))

    @torch.no_grad()
    def complete(
        self,
        batch: Batch,
        targets: Iterable[str],
        noise: RowNoise,
        *,
        guidance: float | None = None,
        fast: bool = False,
    ) -> dict[str, Tensor]:
        """Draw the targets of each row one after another, each given the cells before it; see `order`.

        A target cell that is given stays as it is.

        Args:
            batch: the rows.
            targets: columns.
            noise: of the rows.
            guidance: the model's by default.
            fast: whether flows are followed by their shortcuts, which have the model's guidance, and latents decoded,
                in bfloat16 where that is faster.
        """
        guidance = self.guidance if guidance is None else guidance
        names, wanted = list(self.modalities), set(targets)
        told, given = self.told(batch), batch.present.clone()
        drawn: dict[str, Tensor] = {}
        for index in self.order:
            name = names[index]
            if name not in wanted:
                continue
            context = self.context(told, given)
            cells = self._draw(index, context, noise, guidance, fast)
            absent = ~batch.present[:, index]
            cells = torch.where(_beside(absent, cells), cells, self.cells(index, batch).to(cells.dtype))
            drawn[name] = cells
            if len(drawn) < len(wanted):
                told = torch.cat(
                    [told[:, :index], self._tells(index, cells)[:, None], told[:, index + 1 :]], dim=1
                )
                given[:, index] = True
        return drawn

    def _draw(self, index: int, context: Tensor, noise: RowNoise, guidance: float, fast: bool) -> Tensor:
        modality = list(self.modalities.values())[index]
        autoencoder = self.autoencoder(index)
        if autoencoder is None:
            return modality.to_display(self.conditional(index, context, guidance=guidance), noise)
        if not fast:
            flow = self.conditional(index, context, guidance=guidance)
            return modality.to_display(autoencoder.decode(draw(flow, noise)), noise)
        faster = precision.has_fast_bfloat16(context.device)
        with torch.autocast(context.device.type, torch.bfloat16, enabled=faster):
            latents = draw(self.shortcut(index, context), noise)
            return modality.to_display(autoencoder.decode(latents), noise).float()

    @torch.no_grad()
    def embed(self, batch: Batch) -> Tensor:
        """The context of the present cells, (B, C)."""
        return self.context(self.told(batch), batch.present)

    @torch.no_grad()
    def log_likelihoods(self, batch: Batch, noise: RowNoise, samples: int = 8) -> Tensor:
        """Log p(cell | the row's cells before it in the order of drawing) in nats, (B, M), zero where absent.

        Exact for columns without a latent. Of the others an importance-weighted bound over `samples` latents,
        whose densities are the flow's estimate.
        """
        told = self.told(batch)
        given = torch.zeros_like(batch.present)
        scores = torch.zeros(batch.present.shape, device=batch.present.device)
        for index in self.order:
            context, cells = self.context(told, given), self.cells(index, batch)
            conditional = self.conditional(index, context, numbers=batch.rows)
            autoencoder = self.autoencoder(index)
            if autoencoder is None:
                of_cells = conditional.log_prob(cells)
            else:
                of_cells = _bound(autoencoder, conditional, cells, noise, samples)
            scores[:, index] = torch.where(batch.present[:, index], of_cells, 0.0)
            given[:, index] = batch.present[:, index]
        return scores

    def log_marginal(self, batch: Batch, noise: RowNoise, samples: int = 100, at_once: int = 50) -> Tensor:
        """Sum the columns' conditional log-likelihoods, see `log_likelihoods`, with a tenth of the samples.

        A flow's density costs a path back to the noise for each latent; one is worth many draws of a joint
        posterior, which have all columns to explain.
        """
        return self.log_likelihoods(batch, noise, max(1, min(samples // 10, at_once))).sum(1)

    @contextmanager
    def keeping_latents(self, batches: Iterable[Batch], count: int | None = None) -> Iterator[None]:
        """Encode all rows 0 to N-1 once by the trained autoencoders, and keep that while the rest is trained.

        Sets the centre and spread of the latents. What is kept is no part of the model that is saved.

        Args:
            batches: the rows, in any order.
            count: N, where batches may end before all rows are encoded; nothing is kept then, and latents are encoded
                anew in each step.
        """
        try:
            self._keep(batches, count)
            yield
        finally:
            self._kept.clear()

    @torch.no_grad()
    def _keep(self, batches: Iterable[Batch], count: int | None) -> None:
        found: dict[int, list[Gaussians]] = {int(key): [] for key in self.autoencoders}
        rows, present = [], []
        for batch in batches:
            rows.append(batch.rows)
            present.append(batch.present)
            for index, posteriors in found.items():
                posteriors.append(self._own(index).posterior(self.cells(index, batch)))
        order = torch.cat(rows).argsort()
        for index, posteriors in found.items():
            mean = torch.cat([posterior.mean for posterior in posteriors])[order]
            log_variance = torch.cat([posterior.log_variance for posterior in posteriors])[order]
            there = torch.cat(present)[order, index]
            self._own(index).measure([Gaussians(mean[there], log_variance[there])])
            if count is None or len(order) == count:
                self._kept[index] = self._own(index).normalised(Gaussians(mean, log_variance))

    @torch.no_grad()
    def latents(self, index: int, batch: Batch) -> Gaussians:
        """The normalised posteriors (B, D) of a column's cells: what is kept of these rows, or encoded now."""
        kept = self._kept.get(index)
        if kept is not None:
            return Gaussians(kept.mean[batch.rows], kept.log_variance[batch.rows])
        own = self._own(index)
        return own.normalised(own.posterior(self.cells(index, batch)))

    def _own(self, index: int) -> ColumnAutoencoder:
        return self.autoencoders[str(index)]  # type: ignore[return-value]


def _bound(
    autoencoder: ColumnAutoencoder, flow: Distribution, cells: Tensor, noise: RowNoise, samples: int
) -> Tensor:
    """Log (1/K) sum_k p(cell | z_k) p(z_k | context) / q(z_k | cell), (B,)."""
    posterior = autoencoder.normalised(autoencoder.posterior(cells))
    deviation = torch.exp(0.5 * posterior.log_variance)
    weights = []
    for _ in range(samples):
        z = posterior.mean + deviation * noise.normal(autoencoder.latent)
        likelihood = autoencoder.decode(z).log_prob(cells)
        weights.append(likelihood + flow.log_prob(z) - posterior.log_prob(z))
    return torch.logsumexp(torch.stack(weights), dim=0) - math.log(samples)


def _beside(mask: Tensor, cells: Tensor) -> Tensor:
    return mask.view(-1, *([1] * (cells.dim() - 1)))
