"""Priors over the latent: the standard normal of training, and a mixture fitted to a trained model's latents."""

from __future__ import annotations

import warnings

import torch
from torch import Tensor, nn
from torch.distributions import Categorical, Independent, MixtureSameFamily, MultivariateNormal, Normal

from amodal.distributions import Gaussians, kl_to_standard

_ROWS_A_COMPONENT = 100


class StandardNormal(nn.Module):
    """Independent standard normal latents.

    Args:
        dims: D, the size of the latent.
    """

    loc: Tensor
    scale: Tensor

    def __init__(self, dims: int) -> None:
        super().__init__()
        self.register_buffer("loc", torch.zeros(dims), persistent=False)
        self.register_buffer("scale", torch.ones(dims), persistent=False)

    def forward(self) -> Independent[Normal]:
        """The distribution of one latent, event shape (D,)."""
        return Independent(Normal(self.loc, self.scale, validate_args=False), 1, validate_args=False)

    def kl(self, posterior: Gaussians) -> Tensor:
        """Divergence of each Gaussian (..., D) from this prior, in closed form."""
        return kl_to_standard(posterior)


class AggregatePosterior(nn.Module):
    """A Gaussian mixture fitted to latents of a trained model's rows; before that the standard normal.

    What a model was trained towards is not where its rows come to lie: between them the standard normal has places
    that no decoder has seen, and rows drawn from there fall apart (ex-post density estimation: Ghosh et al.,
    arXiv 1903.12436).

    Args:
        dims: D, the size of the latent.
        components: of the mixture, at most; fewer where rows are few.
    """

    log_weights: Tensor
    means: Tensor
    scales: Tensor

    def __init__(self, dims: int, components: int = 20) -> None:
        super().__init__()
        first = torch.arange(components) == 0
        self.register_buffer("log_weights", torch.where(first, 0.0, -torch.inf))
        self.register_buffer("means", torch.zeros(components, dims))
        self.register_buffer("scales", torch.eye(dims).repeat(components, 1, 1))

    def forward(self) -> MixtureSameFamily:
        """The distribution of one latent, event shape (D,)."""
        return MixtureSameFamily(
            Categorical(logits=self.log_weights, validate_args=False),
            MultivariateNormal(self.means, scale_tril=self.scales, validate_args=False),
            validate_args=False,
        )

    @torch.no_grad()
    def fit(self, latents: Tensor) -> None:
        """Fit the mixture to latents (N, D), by scikit-learn; with fewer than two it stays as it is."""
        if len(latents) < 2:
            return
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.mixture import GaussianMixture

        used = max(1, min(len(self.means), len(latents) // _ROWS_A_COMPONENT))
        mixture = GaussianMixture(used, reg_covar=1e-4, tol=1e-2, max_iter=50, random_state=0)
        with warnings.catch_warnings():
            # Good enough is good enough: it is drawn from, not believed.
            warnings.simplefilter("ignore", ConvergenceWarning)
            mixture.fit(latents.double().cpu().numpy())
        self.log_weights.fill_(-torch.inf)
        self.log_weights[:used] = torch.from_numpy(mixture.weights_).log()
        self.means[:used] = torch.from_numpy(mixture.means_)
        self.scales[:used] = torch.linalg.cholesky(torch.from_numpy(mixture.covariances_))


PRIORS: tuple[type[StandardNormal], ...] = (StandardNormal,)
