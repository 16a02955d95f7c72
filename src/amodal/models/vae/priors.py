"""Distributions of the latent with nothing given: the prior of training, and the fitted aggregate posterior."""

from __future__ import annotations

import warnings

import torch
from torch import Tensor, nn
from torch.distributions import Categorical, Independent, MixtureSameFamily, MultivariateNormal, Normal

from amodal.distributions import Gaussians, kl_to_standard

_ROWS_PER_COMPONENT = 100


class StandardNormal(nn.Module):
    """The prior p(z) = N(0, I).

    Args:
        dims: D.
    """

    loc: Tensor
    scale: Tensor

    def __init__(self, dims: int) -> None:
        super().__init__()
        self.register_buffer("loc", torch.zeros(dims), persistent=False)
        self.register_buffer("scale", torch.ones(dims), persistent=False)

    def forward(self) -> Independent[Normal]:
        """Distribution of event shape (D,)."""
        return Independent(Normal(self.loc, self.scale, validate_args=False), 1, validate_args=False)

    def kl(self, posterior: Gaussians) -> Tensor:
        """KL(q || p) (...) of Gaussians q (..., D), in nats."""
        return kl_to_standard(posterior)


class AggregatePosterior(nn.Module):
    """Gaussian mixture fitted to (1/N) sum_n q(z | x_n) of a trained model; N(0, I) until it is fitted.

    The prior has mass where no row's latent lies and no decoder was trained; rows drawn from there do not agree with
    themselves (ex-post density estimation: Ghosh et al., arXiv 1903.12436).

    Args:
        dims: D.
        components: maximum number of components; one for each 100 rows of a small table.
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
        """Distribution of event shape (D,)."""
        return MixtureSameFamily(
            Categorical(logits=self.log_weights, validate_args=False),
            MultivariateNormal(self.means, scale_tril=self.scales, validate_args=False),
            validate_args=False,
        )

    @torch.no_grad()
    def fit(self, latents: Tensor) -> None:
        """Fit the mixture to latents (N, D) by scikit-learn's EM; fewer than two leave it unchanged."""
        if len(latents) < 2:
            return
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.mixture import GaussianMixture

        used = max(1, min(len(self.means), len(latents) // _ROWS_PER_COMPONENT))
        mixture = GaussianMixture(used, reg_covar=1e-4, tol=1e-2, max_iter=50, random_state=0)
        with warnings.catch_warnings():
            # The mixture is only sampled from: convergence to the last digit buys nothing.
            warnings.simplefilter("ignore", ConvergenceWarning)
            mixture.fit(latents.double().cpu().numpy())
        self.log_weights.fill_(-torch.inf)
        self.log_weights[:used] = torch.from_numpy(mixture.weights_).log()
        self.means[:used] = torch.from_numpy(mixture.means_)
        self.scales[:used] = torch.linalg.cholesky(torch.from_numpy(mixture.covariances_))


PRIORS: tuple[type[StandardNormal], ...] = (StandardNormal,)
