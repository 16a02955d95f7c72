"""The multimodal variational autoencoder."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import torch
from torch import Tensor, nn
from torch.distributions import Distribution

from amodal.batch import Batch
from amodal.distributions import GaussianMixture, Gaussians, RowNoise
from amodal.fusions import Fusion
from amodal.modalities import Modality
from amodal.priors import StandardNormal

_LOG_VARIANCE_LIMIT = 8.0


class MultimodalVAE(nn.Module):
    """One latent for a whole row: an encoder and a decoder a column, joined by a fusion rule.

    Each column's encoder gives a Gaussian expert over the latent z (B, D); the fusion rule joins the experts of
    the present cells to q(z | x); each column's decoder gives the likelihood p(x_m | z).

    Args:
        modalities: column name -> fitted modality.
        fusion: the rule that joins experts.
        latent: D.
        features: size of what each encoder hands to its expert.
        emphasis: how much a column weighs in training, in nats at a noise scale of one, whatever its size:
            each column's log-likelihood is multiplied by `emphasis / size`. The sizes of cells
            differ by thousands, and unweighted the largest would leave the others unheard
            (likelihood rescaling: Javaloy et al., arXiv 2206.04496; Sutter et al., arXiv 2105.02470).

    Attributes:
        weights: (M,), those multipliers.
    """

    weights: Tensor

    def __init__(
        self,
        modalities: Mapping[str, Modality],
        fusion: Fusion,
        *,
        latent: int = 64,
        features: int = 256,
        emphasis: float = 100.0,
    ) -> None:
        super().__init__()
        self.modalities = dict(modalities)
        self.fusion = fusion
        self.prior = StandardNormal(latent)
        self.latent = latent
        # Lists, because a column's name may hold what a module's name may not.
        columns = self.modalities.values()
        self.encoders = nn.ModuleList(modality.encoder(features) for modality in columns)
        self.experts = nn.ModuleList(nn.Linear(features, 2 * latent) for _ in columns)
        self.decoders = nn.ModuleList(modality.decoder(latent) for modality in columns)
        sizes = torch.tensor([modality.size for modality in columns])
        self.register_buffer("weights", emphasis / sizes, persistent=False)

    def encode(self, batch: Batch) -> Gaussians:
        """One expert a column, (B, M, D); what it says of an absent cell means nothing."""
        experts = []
        for index, (name, modality) in enumerate(self.modalities.items()):
            cells = _shown(modality.scaled(batch.x[name]), batch.present[:, index])
            experts.append(self.experts[index](self.encoders[index](cells)))
        mean, log_variance = torch.stack(experts, dim=1).float().chunk(2, dim=2)
        # A soft bound: no expert may be surer, or less sure, than e^8.
        return Gaussians(mean, _LOG_VARIANCE_LIMIT * torch.tanh(log_variance / _LOG_VARIANCE_LIMIT))

    def posterior(self, batch: Batch) -> GaussianMixture:
        """q(z | the present cells); the prior for a row with none."""
        return self.fusion(self.encode(batch), batch.present)

    def decode(self, z: Tensor, columns: Iterable[str]) -> dict[str, Distribution]:
        """The likelihoods p(x_m | z) of columns, for latents (B, D)."""
        index = {name: number for number, name in enumerate(self.modalities)}
        return {name: self.decoders[index[name]](z) for name in columns}

    def column_log_likelihood(self, index: int, z: Tensor, batch: Batch) -> Tensor:
        """Log p(x_m | z) of one column's cells for latents (B, S, D): (B, S), zero where absent."""
        name, modality = list(self.modalities.items())[index]
        samples, present = z.shape[1], batch.present[:, index]
        cells = _shown(modality.scaled(batch.x[name]), present)
        likelihood = self.decoders[index](z.flatten(0, 1))
        scores = likelihood.log_prob(cells.repeat_interleave(samples, 0) if samples > 1 else cells)
        return torch.where(present[:, None], scores.view(-1, samples), 0.0)

    def log_likelihoods(self, z: Tensor, batch: Batch) -> Tensor:
        """Log p(x_m | z) of every cell for latents (B, S, D): (B, S, M), zero where absent."""
        columns = range(len(self.modalities))
        return torch.stack([self.column_log_likelihood(index, z, batch) for index in columns], dim=2)

    @torch.no_grad()
    def complete(self, batch: Batch, targets: Iterable[str], noise: RowNoise) -> dict[str, Distribution]:
        """The likelihoods of the target columns at one latent a row, drawn given the present cells.

        All targets of a row share its latent, so that they belong together.
        """
        z = self.posterior(batch).draw(noise, 1)[:, 0]
        return self.decode(z, targets)

    @torch.no_grad()
    def embed(self, batch: Batch) -> Tensor:
        """The mean of q(z | the present cells), (B, D)."""
        return self.posterior(batch).mean

    @torch.no_grad()
    def log_marginal(self, batch: Batch, noise: RowNoise, samples: int = 100, at_once: int = 50) -> Tensor:
        """Importance-weighted estimate of log p(present cells) in nats, (B,); 0 for a row with none.

        A lower bound in expectation, that tightens as samples grow (Burda et al., arXiv 1509.00519). It serves
        every fusion rule, since each gives a posterior with a density.

        Args:
            batch: the rows.
            noise: of the rows.
            samples: latents drawn a row.
            at_once: how many of them are decoded together.
        """
        posterior = self.posterior(batch)
        weights = []
        for start in range(0, samples, at_once):
            z = posterior.draw(noise, min(at_once, samples - start))
            likelihood = self.log_likelihoods(z, batch).sum(2)
            weights.append(likelihood + self.prior().log_prob(z) - posterior.log_prob(z))
        return torch.logsumexp(torch.cat(weights, dim=1), dim=1) - math.log(samples)


def _shown(cells: Tensor, present: Tensor) -> Tensor:
    """Put zeros where a cell is absent, so that not even a NaN there reaches a network."""
    shape = (-1, *([1] * (cells.dim() - 1)))
    return torch.where(present.view(shape), cells, torch.zeros((), dtype=cells.dtype, device=cells.device))
