"""The prior of the plain variational autoencoder."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.distributions import Independent, Normal

from amodal.distributions import Gaussians, kl_to_standard


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
