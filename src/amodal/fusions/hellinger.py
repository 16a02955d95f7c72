"""The Hellinger barycenter of all experts that are present, as one Gaussian."""

from __future__ import annotations

import torch
from torch import Tensor

from amodal.distributions import GaussianMixture, Gaussians
from amodal.fusions.fusion import Fusion, entering


class Hellinger(Fusion):
    """The diagonal Gaussian with the moments of (sum_j sqrt q_j)^2, normalised (Vo & Valera, arXiv 2601.06572).

    That density is the nearest to all experts in squared Hellinger distance, the one symmetric member of the family
    of divergences between the product of experts and their mixture. Written out it is a mixture of pairs
    sqrt(q_i q_j), each a Gaussian by half its experts' precisions, that weighs as much as the two overlap: experts
    that agree are averaged pairwise, experts apart are covered as by a mixture.

    The overlap is that of whole latents, a product over dimensions: dimensions taken one by one would give
    other weights, and moments that belong to no joint density. What the density says of correlations between
    dimensions is left out. Its cost grows with the square of the columns.
    """

    def join(self, experts: Gaussians, present: Tensor) -> GaussianMixture:
        columns = present.shape[1]
        one, other = torch.triu_indices(columns, columns, device=present.device)
        enters = entering(present)
        mean, log_variance = experts.mean, experts.log_variance
        precision = torch.exp(-log_variance)

        total = precision[:, one] + precision[:, other]
        variance = 2.0 / total
        apart = mean[:, one] - mean[:, other]
        centre = mean[:, other] + precision[:, one] / total * apart

        # The overlap's logarithm, Bhattacharyya's coefficient: its product over dimensions would vanish.
        nearness = precision[:, one] * precision[:, other] / total * apart.square()
        between = log_variance[:, one] + log_variance[:, other]
        overlap = (0.5 * torch.log(variance) - 0.25 * (between + nearness)).sum(2)
        # A pair of two stands for its mirror image too.
        overlap = overlap + torch.log1p((one != other).to(overlap.dtype))
        overlap = overlap.masked_fill(~(enters[:, one] & enters[:, other]), -torch.inf)
        weights = torch.softmax(overlap, dim=1)[:, :, None]

        joint = (weights * centre).sum(1, keepdim=True)
        spread = (weights * (variance + (centre - joint).square())).sum(1, keepdim=True)
        return GaussianMixture(Gaussians(joint, torch.log(spread)), torch.ones_like(present[:, :1]))
