"""Any-order completion: each column drawn given any others, pictures and sounds by flows over latents."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import torch
from torch import Tensor, nn
from torch.distributions import Distribution

from amodal.batch import Batch
from amodal.distributions import Flow, Gaussians, RowNoise, draw
from amodal.modalities import Modality
from amodal.models.column_autoencoder import ColumnAutoencoder
from amodal.models.model import Model, shown
from amodal.nn import ContextNetwork, VelocityNetwork

_KINDS = ("category", "text", "number")
"""Columns drawn first: their likelihoods are exact, and one label or word says most of a row."""


class LatentFlow(Model):
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
        guidance: how far a flow goes from what it does with nothing given towards what it does given the
            context: 1 is its own distribution, more is less varied and agrees better with what is given.
        steps: of the flows' solver.
    """

    def __init__(
        self,
        modalities: Mapping[str, Modality],
        *,
        latent: int = 256,
        features: int = 256,
        guidance: float = 1.5,
        steps: int = 8,
    ) -> None:
        super().__init__(modalities)
        columns = list(modalities.values())
        self.guidance = guidance
        self.steps = steps
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
            modality.conditional(latent)
            if modality.latent is None
            else VelocityNetwork(modality.latent, latent)
            for modality in columns
        )

    @property
    def order(self) -> tuple[int, ...]:
        """The columns' numbers in the order in which they are drawn: exact likelihoods first, then flows."""

        def rank(index: int) -> tuple[bool, int, int, str]:
            name, modality = list(self.modalities.items())[index]
            kind = _KINDS.index(modality.type) if modality.type in _KINDS else len(_KINDS)
            return modality.latent is not None, kind, modality.latent or 0, name

        return tuple(sorted(range(len(self.modalities)), key=rank))

    def autoencoder(self, index: int) -> ColumnAutoencoder | None:
        """The autoencoder of a column, None for one whose likelihood is exact."""
        key = str(index)
        return self._own(index) if key in self.autoencoders else None

    def cells(self, index: int, batch: Batch) -> Tensor:
        """What encoders read and likelihoods score of a column; zeros where a cell is absent."""
        name, modality = list(self.modalities.items())[index]
        return shown(modality.scaled(batch.x[name]), batch.present[:, index])

    def told(self, batch: Batch) -> Tensor:
        """What each cell tells the context, (B, M, C); of an absent cell it means nothing."""
        return self.context_network.told(
            [encoder(self.cells(index, batch)) for index, encoder in enumerate(self.encoders)]
        )

    def context(self, told: Tensor, given: Tensor) -> Tensor:
        """The context (B, C) of the cells that are given, boolean (B, M)."""
        return self.context_network(told, given)

    def conditional(
        self, index: int, context: Tensor, *, guidance: float = 1.0, steps: int | None = None
    ) -> Distribution:
        """A column's distribution given contexts (B, C): of its cells, or of its normalised latents."""
        generator = self.generators[index]
        if not isinstance(generator, VelocityNetwork):
            return generator(context)
        told = generator.told(context)
        nothing = generator.told(self._nothing(context))

        def velocity(points: Tensor, times: Tensor) -> Tensor:
            given = generator(points, times, told)
            if guidance == 1.0:
                return given
            return torch.lerp(generator(points, times, nothing), given, guidance)

        return Flow(velocity, len(context), generator.size, steps=steps or self.steps, device=context.device)

    def _nothing(self, context: Tensor) -> Tensor:
        """The context of a row with nothing given, (1, C)."""
        columns = len(self.modalities)
        told = context.new_zeros(1, columns, context.shape[1])
        return self.context(told, torch.zeros(1, columns, dtype=torch.bool, device=context.device))

    @torch.no_grad()
    def complete(
        self, batch: Batch, targets: Iterable[str], noise: RowNoise, *, guidance: float | None = None
    ) -> dict[str, Tensor]:
        """Draw the targets of each row one after another, each given the cells before it; see `order`.

        A target cell that is given stays as it is.
        """
        names, wanted = list(self.modalities), set(targets)
        told, given = self.told(batch), batch.present.clone()
        drawn: dict[str, Tensor] = {}
        for index in self.order:
            name = names[index]
            if name not in wanted:
                continue
            context = self.context(told, given)
            cells = self._draw(index, context, noise, self.guidance if guidance is None else guidance)
            absent = ~batch.present[:, index]
            cells = torch.where(_beside(absent, cells), cells, self.cells(index, batch).to(cells.dtype))
            drawn[name] = cells
            if len(drawn) < len(wanted):
                now = self.context_network.columns[index](self.encoders[index](cells))
                told = torch.cat([told[:, :index], now[:, None], told[:, index + 1 :]], dim=1)
                given[:, index] = True
        return drawn

    def _draw(self, index: int, context: Tensor, noise: RowNoise, guidance: float) -> Tensor:
        modality = list(self.modalities.values())[index]
        conditional = self.conditional(index, context, guidance=guidance)
        autoencoder = self.autoencoder(index)
        if autoencoder is None:
            return modality.draw(conditional, noise)
        return modality.draw(autoencoder.decode(draw(conditional, noise)), noise)

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
            conditional = self.conditional(index, context)
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

    @torch.no_grad()
    def measure(self, batches: Iterable[Batch]) -> None:
        """Learn the centre and spread of the autoencoders' latents from rows."""
        found: dict[str, list[Gaussians]] = {key: [] for key in self.autoencoders}
        for batch in batches:
            for key, posteriors in found.items():
                present = batch.present[:, int(key)]
                posterior = self._own(int(key)).posterior(self.cells(int(key), batch))
                posteriors.append(Gaussians(posterior.mean[present], posterior.log_variance[present]))
        for key, posteriors in found.items():
            self._own(int(key)).measure(posteriors)

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
