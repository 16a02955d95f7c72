"""Any-order completion of rows, with flows over the latents of images and sounds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import ClassVar, cast

import torch
from pydantic import NonNegativeFloat, PositiveInt
from torch import Tensor, nn
from torch.distributions import Distribution

from amodal.batch import Batch
from amodal.distributions import (
    FewStepFlow,
    Flow,
    Gaussians,
    RowNoise,
    TokenSequence,
    draw,
    guided_tokens,
    guided_velocity,
)
from amodal.modalities import Modality
from amodal.modalities.heads import SoftmaxHead
from amodal.models.base import DrawColumn, GenerativeModel, apply_to_present, broadcast_mask, zero_missing
from amodal.models.latent_flow.autoencoder import ColumnAutoencoder
from amodal.models.latent_flow.linear_experts import LinearExperts
from amodal.nn import CodeEncoder, ContextNetwork, VelocityNetwork, embed_columns, precision

_LEAST_NATS = 0.3
_FLOW_SHARES = 3.0
FLOW_BASE = 2.0
"""E (x_1 - x_0)^2 of standardised latents: a flow's loss for each dimension before training."""
_GAIN_SLACK = 0.02
"""Part of a column's entropy by which gains on training and held-out rows may differ by chance."""


class LatentFlow(GenerativeModel):
    """p(x) = prod_m p(x_m | c(cells before m)), with a context c of any subset of a row's cells.

    Encoders and a context network embed the given cells. Categories, numbers and texts have an exact conditional
    likelihood; an image or sound has a flow over the latent of the column's own autoencoder. Several targets are
    drawn one after another, each given those before, so that a row agrees with itself. An absent cell is never
    given and never a target, so that rows with holes train like others. Where nearly all other cells of a row are
    given, a category's or number's softmax starts from a ridge regression on them (`LinearExperts`).

    It combines order-agnostic conditionals (Uria et al., arXiv 1310.1757), generation in per-column latents (Bounoua
    et al., arXiv 2306.04445, by diffusion), flow matching (Lipman et al., arXiv 2210.02747) and classifier-free
    guidance (Ho & Salimans, arXiv 2207.12598).

    Args:
        modalities: column name -> fitted modality.
        latent: size of the context, which `embed` returns.
        features: size of each encoder's output.
        guidance: strength of classifier-free guidance of flows and texts: 1 is none, more agrees better with the
            given cells and varies less.
        num_steps: solver steps of a flow.
        num_student_steps: steps of a distilled flow.

    Attributes:
        latent_cache: column index -> normalised posteriors (N, D) of rows 0 to N-1, see `prepare_conditionals`.
        linear_cache: column index -> linear predictions (N, outputs) of rows 0 to N-1.
        dropout: rate of dropout of contexts in training.
        target_nats: (M,), entropy of each column, by which its loss is divided.
        generalisation: (M,), share of each column's gain in training that holds on held-out rows, 0 to 1; towards 0
            while its loss on held-out rows rises.
        least_nats: (M,), least loss of each column on held-out rows.
    """

    is_autoregressive: ClassVar[bool] = True
    target_nats: Tensor
    generalisation: Tensor
    least_nats: Tensor

    def __init__(
        self,
        modalities: Mapping[str, Modality],
        *,
        latent: PositiveInt = 256,
        features: PositiveInt = 256,
        guidance: NonNegativeFloat = 1.5,
        num_steps: PositiveInt = 8,
        num_student_steps: PositiveInt = 2,
    ) -> None:
        super().__init__(modalities)
        columns = list(modalities.values())
        self.latent = latent
        self.guidance = guidance
        self.num_steps = num_steps
        self.num_student_steps = num_student_steps
        self.latent_cache: dict[int, Gaussians] = {}
        self.linear_cache: dict[int, Tensor] = {}
        sizes = {str(index): modality.latent for index, modality in enumerate(columns) if modality.latent}
        self.encoders = nn.ModuleList(modality.encoder(features) for modality in columns)
        self.context_network = ContextNetwork(len(columns), features, latent)
        # Of codes, the vectors themselves are the embeddings.
        self.looked_up = [i for i, encoder in enumerate(self.encoders) if isinstance(encoder, CodeEncoder)]
        for index in self.looked_up:
            self.encoders[index] = columns[index].encoder(latent)
            self.context_network.columns[index] = nn.Identity()
        self.autoencoders = nn.ModuleDict(
            {key: ColumnAutoencoder(columns[int(key)], features) for key in sizes}
        )
        self.generators = nn.ModuleList(
            VelocityNetwork(modality.latent, latent) if modality.latent else modality.head(latent)
            for modality in columns
        )
        self.students = nn.ModuleDict({key: VelocityNetwork(size, latent) for key, size in sizes.items()})
        self.experts = LinearExperts(
            modalities,
            {
                index: head.num_outputs
                for index, head in enumerate(self.generators)
                if isinstance(head, SoftmaxHead)
            },
        )
        self.dropout = 0.0
        self.register_buffer("target_nats", torch.ones(len(columns)), persistent=False)
        self.register_buffer("generalisation", torch.ones(len(columns)))
        self.register_buffer("least_nats", torch.full((len(columns),), torch.inf))

    @property
    def draw_order(self) -> tuple[int, ...]:
        """Column indices in the order of drawing: exact likelihoods first, then flows."""

        def rank(index: int) -> tuple[bool, int, int, str]:
            name, modality = list(self.modalities.items())[index]
            return modality.latent is not None, modality.draw_rank, modality.latent or 0, name

        return tuple(sorted(range(len(self.modalities)), key=rank))

    def autoencoder(self, index: int) -> ColumnAutoencoder | None:
        """The column's autoencoder; None where the column's likelihood is exact."""
        key = str(index)
        return cast(ColumnAutoencoder, self.autoencoders[key]) if key in self.autoencoders else None

    def autoencoder_prefixes(self) -> dict[str, str]:
        """Column name -> common prefix of its autoencoder's parameter names."""
        names = list(self.modalities)
        return {names[int(key)]: f"autoencoders.{key}." for key in self.autoencoders}

    def cells(self, index: int, batch: Batch) -> Tensor:
        """A column's scaled cells (B, ...), which encoders read and likelihoods score; zeros where absent."""
        name, modality = list(self.modalities.items())[index]
        return zero_missing(modality.scale(batch.x[name]), batch.present[:, index])

    def column_embeddings(self, batch: Batch, augmentation: RowNoise | None = None) -> Tensor:
        """Per-column embeddings (B, M, C); arbitrary where a cell is absent.

        Args:
            batch: B rows.
            augmentation: random numbers for `Modality.augment`; None for the cells as they are.
        """
        embeddings: dict[int, Tensor] = {}
        if self.looked_up:
            encoders = [cast(CodeEncoder, self.encoders[index]) for index in self.looked_up]
            found = embed_columns(encoders, [self.cells(index, batch) for index in self.looked_up])
            embeddings |= dict(zip(self.looked_up, found.unbind(1), strict=True))
        for index, (name, modality) in enumerate(self.modalities.items()):
            if index in embeddings:
                continue
            cells = modality.scale(batch.x[name])
            if augmentation:
                cells = modality.augment(cells, augmentation)
            encode = partial(self.encode_column, index)
            embeddings[index] = apply_to_present(encode, batch.present[:, index], cells)
        return torch.stack([embeddings[index] for index in range(len(embeddings))], dim=1)

    def encode_column(self, index: int, cells: Tensor) -> Tensor:
        """Embeddings (B, C) of one column's scaled cells."""
        return self.context_network.columns[index](self.encoders[index](cells))

    def context(self, embeddings: Tensor, given: Tensor) -> Tensor:
        """Contexts (..., B, C) of column embeddings (B, M, C), where `given` (..., B, M) is true."""
        return self.context_network(embeddings, given)

    def drop_out(self, contexts: Tensor, noise: RowNoise) -> Tensor:
        """Contexts (K, B, C) with random entries set to zero, at the rate `dropout`, by the rows' random numbers."""
        if not self.dropout:
            return contexts
        # Of the rows' own random numbers, so that a resumed run and several processes drop the same.
        dropped = noise.bernoulli(self.dropout, len(contexts), contexts.shape[-1]).transpose(0, 1)
        return torch.where(dropped, 0.0, contexts / (1.0 - self.dropout))

    def set_target_nats(self, index: int, nats: float) -> None:
        """Set the entropy of a column's cells, by which its loss is divided; a nearly constant one's is raised."""
        self.target_nats[index] = max(nats, _LEAST_NATS)

    def scale_gradient(self, context: Tensor, index: int) -> Tensor:
        """The contexts, whose gradient from a column's loss is multiplied by its `generalisation`."""
        share = self.generalisation[index]
        return context * share + context.detach() * (1.0 - share)

    def update_generalisation(self, training: Mapping[str, float], held_out: Mapping[str, float]) -> None:
        """Update `generalisation` from each column's loss in nats on training and on held-out rows."""
        for index, name in enumerate(self.modalities):
            if name in training:
                base = float(self.target_nats[index])
                slack = _GAIN_SLACK * base
                share = (base - held_out[name] + slack) / max(base - training[name] + slack, slack)
                is_rising = held_out[name] > float(self.least_nats[index]) + slack / 2
                share = 0.0 if is_rising else min(1.0, max(0.0, share))
                self.generalisation[index] = (self.generalisation[index] + share) / 2
                self.least_nats[index] = min(float(self.least_nats[index]), held_out[name])

    def held_out_score(self, held_out: Mapping[str, float]) -> float:
        """Sum over the columns of the share of their entropy that is left, at most 1, from held-out losses in nats.

        A column that over-fits counts no more than one that is not learned. Flows, whose share falls by little, count
        more.
        """
        nats = zip(self.modalities, self.target_nats.tolist(), strict=True)
        return sum(
            min(1.0, held_out[name] / base) * (1.0 if self.autoencoder(index) is None else _FLOW_SHARES)
            for index, (name, base) in enumerate(nats)
            if name in held_out
        )

    def linear_features(self, batch: Batch) -> list[Tensor]:
        """Features (B, F_m) of each column's cells for `LinearExperts`; arbitrary where a cell is absent."""
        return [
            modality.linear_features(self.cells(index, batch))
            for index, modality in enumerate(self.modalities.values())
        ]

    def linear(self, index: int, features: Sequence[Tensor], given: Tensor) -> tuple[Tensor, Tensor] | None:
        """Linear predictions (B, outputs) of a column and where they are usable (B,); None where nowhere."""
        if index not in self.experts.outputs:
            return None
        usable = self.experts.usable(index, given)
        return (self.experts(index, features, given), usable) if bool(usable.any()) else None

    def cached_linear(self, index: int, rows: Tensor, usable: Tensor) -> tuple[Tensor, Tensor] | None:
        """Linear predictions of rows (B,) from `linear_cache`, where usable (B,); None without any."""
        cached = self.linear_cache.get(index)
        return None if cached is None else (cached[rows], usable)

    def likelihood(
        self, index: int, context: Tensor, linear: tuple[Tensor, Tensor] | None = None
    ) -> Distribution:
        """p(x_m | c) of a column without an autoencoder, given contexts (B, C) and `linear` predictions."""
        head = self.generators[index]
        likelihood: Distribution = (
            head(context, *linear) if isinstance(head, SoftmaxHead) and linear else head(context)
        )
        return likelihood

    def conditional(
        self,
        index: int,
        context: Tensor,
        *,
        guidance: NonNegativeFloat = 1.0,
        num_steps: int | None = None,
        row_numbers: Tensor | None = None,
        linear: tuple[Tensor, Tensor] | None = None,
    ) -> Distribution:
        """p(x_m | c) of a column's cells or, with an autoencoder, of its normalised latents.

        Args:
            index: column m.
            context: c, (B, C).
            guidance: strength of guidance of flows and texts; categories and numbers are never guided.
            num_steps: solver steps of a flow; the model's by default.
            row_numbers: (B,), see `Flow`.
            linear: predictions of `linear`.
        """
        generator = self.generators[index]
        if not isinstance(generator, VelocityNetwork):
            likelihood = self.likelihood(index, context, linear)
            if guidance == 1.0 or not isinstance(likelihood, TokenSequence):
                return likelihood
            null_context = self.context_network.null_context().expand_as(context)
            return guided_tokens(likelihood, generator(null_context), guidance)
        velocity, unconditional = (
            partial(generator, context=generator.context_proj(c))
            for c in (context, self.context_network.null_context())
        )
        return Flow(
            guided_velocity(velocity, unconditional, guidance),
            len(context),
            generator.size,
            steps=num_steps or self.num_steps,
            device=context.device,
            row_numbers=row_numbers,
        )

    def student_flow(self, index: int, context: Tensor) -> FewStepFlow:
        """Distilled flow of a column's normalised latents given contexts (B, C), with the model's guidance."""
        network = cast(VelocityNetwork, self.students[str(index)])
        velocity = partial(network, context=network.context_proj(context))
        return FewStepFlow(
            velocity, len(context), network.size, steps=self.num_student_steps, device=context.device
        )

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
        """Sample the target columns one after another, in `draw_order`, each given the cells before it.

        A target cell that is given is returned as it is.

        Args:
            batch: B rows.
            targets: column names.
            noise: random numbers of the rows.
            guidance: strength of guidance; the model's by default.
            fast: sample from the distilled flows, which have the model's guidance, and decode in bfloat16 where the
                device is faster with it.
        """
        strength = self.guidance if guidance is None else guidance
        names, chosen = list(self.modalities), set(targets)

        def sample(index: int, context: Tensor, linear: tuple[Tensor, Tensor] | None) -> Tensor:
            return self._draw(index, context, noise, strength, fast, linear)

        order = [index for index in self.draw_order if names[index] in chosen]
        return self._complete_in_order(batch, order, sample)

    @torch.no_grad()
    def draw_columns(self, batch: Batch, names: Sequence[str], draw: DrawColumn, noise: RowNoise) -> None:
        columns = list(self.modalities)

        def sample(index: int, context: Tensor, linear: tuple[Tensor, Tensor] | None) -> Tensor:
            return draw(columns[index], self.conditional(index, context, linear=linear))

        self._complete_in_order(batch, [columns.index(name) for name in names], sample)

    def _complete_in_order(
        self,
        batch: Batch,
        order: Sequence[int],
        sample: Callable[[int, Tensor, tuple[Tensor, Tensor] | None], Tensor],
    ) -> dict[str, Tensor]:
        """Cells (B, ...) of columns, each sampled given those before it; a present cell stays as it is.

        Args:
            batch: B rows.
            order: column indices.
            sample: called with a column's index, contexts (B, C) and predictions of `linear`.
        """
        embeddings, given = self.column_embeddings(batch), batch.present.clone()
        features = self.linear_features(batch) if self.experts.is_fitted else []
        modalities, completed = list(self.modalities.items()), dict[str, Tensor]()
        for place, index in enumerate(order, start=1):
            name, modality = modalities[index]
            linear = self.linear(index, features, given) if features else None
            cells = sample(index, self.context(embeddings, given), linear)
            absent = broadcast_mask(~batch.present[:, index], cells)
            cells = torch.where(absent, cells, self.cells(index, batch).to(cells.dtype))
            completed[name] = cells
            if place < len(order):
                embeddings[:, index] = self.encode_column(index, cells)
                given[:, index] = True
                if features:
                    features[index] = modality.linear_features(cells)
        return completed

    @torch.no_grad()
    def predict(
        self, batch: Batch, names: Iterable[str], noise: RowNoise, num_samples: int = 100
    ) -> dict[str, Distribution]:
        embeddings = self.column_embeddings(batch)
        features = self.linear_features(batch) if self.experts.is_fitted else []
        columns = list(self.modalities)
        return {name: self._given_rest(columns.index(name), batch, embeddings, features) for name in names}

    def _given_rest(
        self, index: int, batch: Batch, embeddings: Tensor, features: Sequence[Tensor]
    ) -> Distribution:
        """p(x_m | all other present cells) of one column."""
        given = batch.present.clone()
        given[:, index] = False
        context = self.context(embeddings, given)
        linear = self.linear(index, features, given) if features else None
        return self.conditional(index, context, row_numbers=batch.rows, linear=linear)

    @torch.no_grad()
    def cell_log_prob(self, batch: Batch, noise: RowNoise, num_samples: int = 100) -> Tensor:
        embeddings = self.column_embeddings(batch)
        features = self.linear_features(batch) if self.experts.is_fitted else []
        scores = torch.zeros(batch.present.shape, device=batch.present.device)
        for index in range(len(self.modalities)):
            conditional = self._given_rest(index, batch, embeddings, features)
            cells, autoencoder = self.cells(index, batch), self.autoencoder(index)
            if autoencoder is None:
                score = conditional.log_prob(cells)
            else:
                score = autoencoder.log_prob(cells, conditional, noise, max(1, num_samples // 10))
            scores[:, index] = torch.where(batch.present[:, index], score, 0.0)
        return scores

    def _draw(
        self,
        index: int,
        context: Tensor,
        noise: RowNoise,
        guidance: float,
        fast: bool,
        linear: tuple[Tensor, Tensor] | None,
    ) -> Tensor:
        modality = list(self.modalities.values())[index]
        autoencoder = self.autoencoder(index)
        if autoencoder is None:
            likelihood = self.conditional(index, context, guidance=guidance, linear=linear)
            return modality.to_display(likelihood, noise)
        if not fast:
            flow = self.conditional(index, context, guidance=guidance)
            return modality.to_display(autoencoder.decode(draw(flow, noise)), noise)
        bfloat16 = precision.has_fast_bfloat16(context.device)
        with torch.autocast(context.device.type, torch.bfloat16, enabled=bfloat16):
            latents = draw(self.student_flow(index, context), noise)
            return modality.to_display(autoencoder.decode(latents), noise).float()

    @torch.no_grad()
    def embed(self, batch: Batch) -> Tensor:
        """Context of each row's present cells, (B, C)."""
        return self.context(self.column_embeddings(batch), batch.present)

    @torch.no_grad()
    def log_likelihoods(self, batch: Batch, noise: RowNoise, num_samples: int = 8) -> Tensor:
        """Log p(x_m | present cells before m in `draw_order`) in nats, (B, M); zero where absent.

        Exact for columns without an autoencoder; of the others the bound `ColumnAutoencoder.log_prob`, with the
        flow's estimated density.

        Args:
            batch: B rows.
            noise: random numbers of the rows.
            num_samples: importance samples of each latent.
        """
        embeddings = self.column_embeddings(batch)
        features = self.linear_features(batch) if self.experts.is_fitted else []
        given = torch.zeros_like(batch.present)
        scores = torch.zeros(batch.present.shape, device=batch.present.device)
        for index in self.draw_order:
            context, cells = self.context(embeddings, given), self.cells(index, batch)
            linear = self.linear(index, features, given) if features else None
            conditional = self.conditional(index, context, row_numbers=batch.rows, linear=linear)
            autoencoder = self.autoencoder(index)
            if autoencoder is None:
                score = conditional.log_prob(cells)
            else:
                score = autoencoder.log_prob(cells, conditional, noise, num_samples)
            scores[:, index] = torch.where(batch.present[:, index], score, 0.0)
            given[:, index] = batch.present[:, index]
        return scores

    def log_prob(self, batch: Batch, noise: RowNoise, num_samples: int = 100, chunk_size: int = 50) -> Tensor:
        """Sum of `log_likelihoods` over the columns, (B,), with a tenth of the samples.

        A sample of a column's latent costs a solution of the flow's equation, and tightens the bound more than a
        sample of a joint latent does, which has all columns to explain.
        """
        return self.log_likelihoods(batch, noise, max(1, min(num_samples // 10, chunk_size))).sum(1)

    @torch.no_grad()
    def latents(self, index: int, batch: Batch) -> Gaussians:
        """Normalised posteriors (B, D) of a column's latents, read from `latent_cache` if it is filled."""
        cached = self.latent_cache.get(index)
        if cached is not None:
            return cached[batch.rows]
        autoencoder = cast(ColumnAutoencoder, self.autoencoder(index))
        return autoencoder.normalised(autoencoder.posterior(self.cells(index, batch)))
