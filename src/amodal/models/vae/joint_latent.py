"""Autoencoders with one latent for a whole row."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Iterable, Mapping

import torch
from torch import Tensor, nn
from torch.distributions import Distribution

from amodal.batch import Batch
from amodal.distributions import GaussianMixture, Gaussians, RowNoise, draw
from amodal.modalities import Modality
from amodal.models.base import GenerativeModel, apply_to_present
from amodal.models.vae.priors import AggregatePosterior, StandardNormal

_DEFENSIVE = 0.1
_LOG_VARIANCE_LIMIT = 8.0


class JointLatentVAE(GenerativeModel):
    """A prior over a row's latent z (B, D) and a decoder a column; how cells become q(z | x) is left open.

    Args:
        modalities: column name -> fitted modality.
        latent: D.
        likelihood_weight: how much a column weighs in training, in nats at a noise scale of one, whatever its size:
            each column's log-likelihood is multiplied by `likelihood_weight / size`. The sizes of cells
            differ by thousands, and unweighted the largest would leave the others unheard
            (likelihood rescaling: Javaloy et al., arXiv 2206.04496; Sutter et al., arXiv 2105.02470).

    Attributes:
        weights: (M,), those multipliers.
    """

    weights: Tensor

    def __init__(self, modalities: Mapping[str, Modality], *, latent: int, likelihood_weight: float) -> None:
        super().__init__(modalities)
        self.latent = latent
        self.prior = StandardNormal(latent)
        self.aggregate_posterior = AggregatePosterior(latent)
        # A list, because a column's name may hold what a module's name may not.
        self.decoders = nn.ModuleList(modality.decoder(latent) for modality in modalities.values())
        sizes = torch.tensor([modality.size for modality in modalities.values()])
        self.register_buffer("weights", likelihood_weight / sizes, persistent=False)

    @abstractmethod
    def posterior(self, batch: Batch) -> GaussianMixture:
        """q(z | the present cells); the prior for a row with none."""

    def conditional(self, batch: Batch) -> GaussianMixture:
        """q(z | the cells that are given), which other cells are drawn from; see `Fusion.conditional`."""
        return self.posterior(batch)

    def decode(self, z: Tensor, columns: Iterable[str]) -> dict[str, Distribution]:
        """The likelihoods p(x_m | z) of columns, for latents (B, D)."""
        index = {name: number for number, name in enumerate(self.modalities)}
        return {name: self.decoders[index[name]](z) for name in columns}

    def column_log_likelihood(self, index: int, z: Tensor, batch: Batch) -> Tensor:
        """Log p(x_m | z) of one column's cells for latents (B, S, D): (B, S), zero where absent."""
        name, modality = list(self.modalities.items())[index]
        samples = z.shape[1]

        def score(z: Tensor, stored: Tensor) -> Tensor:
            likelihood = self.decoders[index](z.flatten(0, 1))
            cells = modality.scale(stored)
            repeated = cells.repeat_interleave(samples, 0) if samples > 1 else cells
            return likelihood.log_prob(repeated).view(-1, samples)

        return apply_to_present(score, batch.present[:, index], z, batch.x[name])

    def log_likelihoods(self, z: Tensor, batch: Batch) -> Tensor:
        """Log p(x_m | z) of every cell for latents (B, S, D): (B, S, M), zero where absent."""
        columns = range(len(self.modalities))
        return torch.stack([self.column_log_likelihood(index, z, batch) for index in columns], dim=2)

    @torch.no_grad()
    def complete(self, batch: Batch, targets: Iterable[str], noise: RowNoise) -> dict[str, Tensor]:
        """Draw one latent a row, given the present cells, and from it all targets.

        Where nothing is given, latents come from where the rows of training lie.
        """
        z = self.conditional(batch).draw(noise, 1)[:, 0]
        anywhere = draw(self.aggregate_posterior().expand([len(batch)]), noise)
        z = torch.where(batch.present.any(1, keepdim=True), z, anywhere)
        likelihoods = self.decode(z, targets)
        return {name: self.modalities[name].to_display(likelihoods[name], noise) for name in likelihoods}

    @torch.no_grad()
    def fit_aggregate_posterior(self, batches: Iterable[Batch]) -> None:
        """Take note, after training, of where rows lie."""
        drawn = [self.conditional(batch).draw(RowNoise(0, batch.rows), 1)[:, 0] for batch in batches]
        self.aggregate_posterior.fit(torch.cat(drawn))

    @torch.no_grad()
    def embed(self, batch: Batch) -> Tensor:
        """The mean of q(z | the present cells), (B, D)."""
        return self.conditional(batch).mean

    @torch.no_grad()
    def log_marginal(self, batch: Batch, noise: RowNoise, samples: int = 100, at_once: int = 50) -> Tensor:
        """Importance-weighted estimate of log p(present cells) in nats, (B,); 0 for a row with none.

        A lower bound in expectation, that tightens as samples grow (Burda et al., arXiv 1509.00519). It serves
        every fusion rule, since each gives a posterior with a density. A tenth of the latents comes from the
        prior, so that a posterior that is too sure misses nothing (Hesterberg, Technometrics 1995).

        Args:
            batch: the rows.
            noise: of the rows.
            samples: latents drawn a row.
            at_once: how many of them are decoded together.
        """
        posterior, prior = self.posterior(batch), self.prior()
        weights = []
        for start in range(0, samples, at_once):
            count = min(at_once, samples - start)
            of_prior = min(max(1, round(_DEFENSIVE * count)), count - 1)
            z = posterior.draw(noise, count - of_prior)
            z = torch.cat([z, noise.normal(of_prior, self.latent)], dim=1)
            share = z.new_tensor([count - of_prior, of_prior]).div(count).log()
            proposal = torch.logaddexp(share[0] + posterior.log_prob(z), share[1] + prior.log_prob(z))
            weights.append(self.log_likelihoods(z, batch).sum(2) + prior.log_prob(z) - proposal)
        return torch.logsumexp(torch.cat(weights, dim=1), dim=1) - math.log(samples)


def bounded(outputs: Tensor) -> Gaussians:
    """Read a network's outputs (..., 2 D) as the means and log-variances of Gaussians over the latent.

    The bound is soft: no Gaussian may be surer, or less sure, than e^8.
    """
    mean, log_variance = outputs.float().chunk(2, dim=-1)
    return Gaussians(mean, _LOG_VARIANCE_LIMIT * torch.tanh(log_variance / _LOG_VARIANCE_LIMIT))
