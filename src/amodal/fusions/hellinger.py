"""Hellinger barycenter of experts, moment-matched."""

from __future__ import annotations

import torch
from torch import Tensor

from amodal.distributions import GaussianMixture, Gaussians
from amodal.fusions.fusion import Fusion, present_or_all


class Hellinger(Fusion):
    """Diagonal Gaussian with the moments of (sum_j sqrt q_j)^2, normalised (Vo & Valera, arXiv 2601.06572).

    That density minimises the summed squared Hellinger distance to the experts, the symmetric member of the family of
    divergences between product and mixture of experts. It is a mixture of the pairs sqrt(q_i q_j), each a Gaussian of
    half the summed precisions, weighted by the pair's overlap (Bhattacharyya coefficient): experts that agree are
    averaged pairwise, experts apart are covered as by a mixture.

    The overlap is that of whole latents, a product over dimensions; weights per dimension would belong to no joint
    density. Correlations between dimensions are left out. Its cost grows with M^2.
    """

    def join(self, experts: Gaussians, present: Tensor) -> GaussianMixture:
        columns = present.shape[1]
        i, j = torch.triu_indices(columns, columns, device=present.device)
        mask = present_or_all(present)
        mean, log_variance = experts.mean, experts.log_variance
        precision = torch.exp(-log_variance)

        total = precision[:, i] + precision[:, j]
        variance = 2.0 / total
        difference = mean[:, i] - mean[:, j]
        pair_mean = mean[:, j] + precision[:, i] / total * difference

        # In logarithms: over many dimensions the coefficient itself would underflow.
        squared = precision[:, i] * precision[:, j] / total * difference.square()
        summed = log_variance[:, i] + log_variance[:, j]
        overlap = (0.5 * torch.log(variance) - 0.25 * (summed + squared)).sum(2)
        # Pair (i, j) also counts for (j, i).
        overlap = overlap + torch.log1p((i != j).to(overlap.dtype))
        overlap = overlap.masked_fill(~(mask[:, i] & mask[:, j]), -torch.inf)
        weights = torch.softmax(overlap, dim=1)[:, :, None]

        joint_mean = (weights * pair_mean).sum(1, keepdim=True)
        joint_variance = (weights * (variance + (pair_mean - joint_mean).square())).sum(1, keepdim=True)
        joint = Gaussians(joint_mean, torch.log(joint_variance))
        return GaussianMixture(joint, torch.ones_like(present[:, :1]))
