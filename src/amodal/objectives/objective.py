"""What every objective is: a model and a batch to a loss."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from amodal.batch import Batch
from amodal.distributions import RowNoise
from amodal.models import MultimodalVAE


@dataclass(frozen=True)
class Loss:
    """A loss and what it is made of.

    Attributes:
        total: scalar, to be made smaller; a mean over the batch's rows.
        terms: name -> scalar without gradient, for the user to watch.
    """

    total: Tensor
    terms: Mapping[str, Tensor]


class Objective(ABC):
    """A training objective. Its fields are its settings."""

    @abstractmethod
    def __call__(self, model: MultimodalVAE, batch: Batch, noise: RowNoise, kl_weight: float = 1.0) -> Loss:
        """Score a batch.

        Args:
            model: what is trained.
            batch: B rows, each with at least one cell.
            noise: of those rows.
            kl_weight: multiplies all divergences; rises to 1 while training warms up.
        """


def weighed(model: MultimodalVAE, log_likelihoods: Tensor) -> Tensor:
    """Sum the columns' log-likelihoods (..., M) by the model's weights, to (...)."""
    return log_likelihoods @ model.weights


def column_terms(model: MultimodalVAE, log_likelihoods: Tensor, batch: Batch) -> dict[str, Tensor]:
    """Each column's mean log-likelihood over its present cells, in nats, of (B, S, M)."""
    with torch.no_grad():
        count = batch.present.sum(0).clamp_min(1)
        means = log_likelihoods.mean(1).sum(0) / count
        return dict(zip(model.modalities, means, strict=True))
