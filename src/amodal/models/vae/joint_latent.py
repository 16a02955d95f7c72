"""Variational autoencoders with a joint latent of a row."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.distributions import Distribution

from amodal.batch import Batch
from amodal.distributions import RowNoise, draw, mixture_of
from amodal.modalities import Modality
from amodal.models.base import DrawColumn, GenerativeModel, apply_to_present
from amodal.models.vae.latents import Latents, Posterior
from amodal.models.vae.priors import AggregatePosterior, StandardNormal

_DEFENSIVE_SHARE = 0.1


class JointLatentVAE(GenerativeModel):
    """p(x, z) = p(z) prod_m p(x_m | z), with a latent z (B, D) of the row; subclasses define q(z | x).

    Args:
        modalities: column name -> fitted modality.
        latent: D.
        likelihood_weight: weight of a column in training, in nats at a noise scale of one: its log-likelihood is
            multiplied by `likelihood_weight / Modality.size`. Sizes of cells differ by thousands, and unweighted
            the largest column would dominate (likelihood rescaling: Javaloy et al., arXiv 2206.04496; Sutter et al.,
            arXiv 2105.02470).

    Attributes:
        weights: (M,), those multipliers.
    """

    weights: Tensor

    def __init__(self, modalities: Mapping[str, Modality], *, latent: int, likelihood_weight: float) -> None:
        super().__init__(modalities)
        self.latent = latent
        self.prior = StandardNormal(latent)
        self.aggregate_posterior = AggregatePosterior(latent)
        # A list, since column names may hold characters that module names may not.
        self.decoders = nn.ModuleList(modality.decoder(latent) for modality in modalities.values())
        sizes = torch.tensor([modality.size for modality in modalities.values()])
        self.register_buffer("weights", likelihood_weight / sizes, persistent=False)

    @abstractmethod
    def posterior(self, batch: Batch) -> Posterior:
        """q(z | present cells); the prior for a row with none."""

    def conditional(self, batch: Batch) -> Posterior:
        """Distribution of z that cells are completed from; see `Fusion.conditional`."""
        return self.posterior(batch)

    def log_prior(self, latents: Latents) -> Tensor:
        """Log p(z) + sum_m log p(w_m), (B, S), in nats; the private latents w_m are N(0, I)."""
        scores = self.prior().log_prob(latents.shared)
        for w in latents.private.values():
            scores = scores - 0.5 * (w.square() + math.log(2.0 * math.pi)).sum(-1)
        return scores

    def column_log_likelihood(self, index: int, z: Tensor, batch: Batch) -> Tensor:
        """Log p(x_m | z) of one column's cells for decoder inputs (B, S, D): (B, S), zero where absent."""
        name, modality = list(self.modalities.items())[index]
        samples = z.shape[1]

        def score(z: Tensor, stored: Tensor) -> Tensor:
            likelihood = self.decoders[index](z.flatten(0, 1))
            cells = modality.scale(stored)
            repeated = cells.repeat_interleave(samples, 0) if samples > 1 else cells
            return likelihood.log_prob(repeated).view(-1, samples)

        return apply_to_present(score, batch.present[:, index], z, batch.x[name])

    def log_likelihoods(self, latents: Latents, batch: Batch) -> Tensor:
        """Log p(x_m | z) of every cell for S samples of the latents: (B, S, M), zero where absent."""
        columns = enumerate(self.modalities)
        scores = [self.column_log_likelihood(m, latents.for_column(name), batch) for m, name in columns]
        return torch.stack(scores, dim=2)

    @torch.no_grad()
    def complete(self, batch: Batch, targets: Iterable[str], noise: RowNoise) -> dict[str, Tensor]:
        """Sample one latent a row given the present cells, and all targets from it.

        A row with nothing given takes its shared latent from the aggregate posterior instead of the prior.
        """
        names = list(targets)
        likelihoods = self.likelihoods(self.draw_latents(batch, noise, 1), names)
        return {name: self.modalities[name].to_display(likelihoods[name], noise) for name in names}

    def draw_latents(self, batch: Batch, noise: RowNoise, num_samples: int) -> Latents:
        """Latents given the present cells, (B, num_samples, D); see `complete`."""
        latents = self.conditional(batch).draw(noise, num_samples)
        prior = self.aggregate_posterior().expand([len(batch)])
        aggregate = torch.stack([draw(prior, noise) for _ in range(num_samples)], dim=1)
        is_given = batch.present.any(1)[:, None, None]
        return replace(latents, shared=torch.where(is_given, latents.shared, aggregate))

    def likelihoods(self, latents: Latents, names: Sequence[str]) -> dict[str, Distribution]:
        """p(x_m | z) of columns for B S latents, row by row."""
        index = {name: number for number, name in enumerate(self.modalities)}
        return {name: self.decoders[index[name]](latents.for_column(name).flatten(0, 1)) for name in names}

    @torch.no_grad()
    def draw_columns(self, batch: Batch, names: Sequence[str], draw: DrawColumn, noise: RowNoise) -> None:
        likelihoods = self.likelihoods(self.draw_latents(batch, noise, 1), names)
        for name in names:
            draw(name, likelihoods[name])

    @torch.no_grad()
    def predict(
        self, batch: Batch, names: Iterable[str], noise: RowNoise, num_samples: int = 100
    ) -> dict[str, Distribution]:
        found = {}
        for name in names:
            latents = self.draw_latents(batch.without(name), noise, num_samples)
            found[name] = mixture_of(self.likelihoods(latents, [name])[name], len(batch))
        return found

    @torch.no_grad()
    def fit_aggregate_posterior(self, batches: Iterable[Batch]) -> None:
        """Fit the aggregate posterior to the shared latents of rows, after training."""
        shared = [self.conditional(batch).shared.draw(RowNoise(0, batch.rows), 1)[:, 0] for batch in batches]
        self.aggregate_posterior.fit(torch.cat(shared))

    @torch.no_grad()
    def embed(self, batch: Batch) -> Tensor:
        """Mean of the shared latent given the present cells, (B, D)."""
        return self.conditional(batch).shared.mean

    @torch.no_grad()
    def log_prob(self, batch: Batch, noise: RowNoise, num_samples: int = 100, chunk_size: int = 50) -> Tensor:
        """Importance-weighted estimate of log p(present cells) in nats, (B,); 0 for a row with none.

        log (1/K) sum_k p(x, z_k) / q(z_k), a lower bound in expectation that tightens with K (Burda et al.,
        arXiv 1509.00519). The proposal q is the posterior, mixed with a tenth of the prior, so that an overconfident
        posterior misses nothing (defensive mixture: Hesterberg, Technometrics 1995).

        Args:
            batch: B rows.
            noise: random numbers of the rows.
            num_samples: K.
            chunk_size: samples decoded at a time.
        """
        posterior = self.posterior(batch)
        weights = []
        for start in range(0, num_samples, chunk_size):
            count = min(chunk_size, num_samples - start)
            of_prior = min(max(1, round(_DEFENSIVE_SHARE * count)), count - 1)
            latents = posterior.draw(noise, count - of_prior)
            shared = noise.normal(of_prior, self.latent)
            private = {name: noise.normal(of_prior, w.shape[2]) for name, w in latents.private.items()}
            latents = Latents.cat(latents, Latents(shared, private))
            share = shared.new_tensor([count - of_prior, of_prior]).div(count).log()
            prior = self.log_prior(latents)
            proposal = torch.logaddexp(share[0] + posterior.log_prob(latents), share[1] + prior)
            weights.append(self.log_likelihoods(latents, batch).sum(2) + prior - proposal)
        return torch.logsumexp(torch.cat(weights, dim=1), dim=1) - math.log(num_samples)
