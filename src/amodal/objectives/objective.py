"""What every objective is: a model and a batch to a loss."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

import torch
from torch import Tensor

from amodal.batch import Batch
from amodal.distributions import RowNoise
from amodal.models import JointLatentVAE, Model

_WARM_UP = 0.1

AnyModel = TypeVar("AnyModel", bound=Model, contravariant=True)


@dataclass(frozen=True)
class Loss:
    """A loss and what it is made of.

    Attributes:
        total: scalar, to be made smaller; a mean over the batch's rows.
        terms: name -> scalar without gradient, for the user to watch.
    """

    total: Tensor
    terms: Mapping[str, Tensor]


class Objective(ABC, Generic[AnyModel]):
    """A training objective of one kind of model. Its fields are its settings."""

    @abstractmethod
    def __call__(self, model: AnyModel, batch: Batch, noise: RowNoise, progress: float = 1.0) -> Loss:
        """Score a batch.

        Args:
            model: what is trained.
            batch: B rows, each with at least one cell.
            noise: of those rows.
            progress: the share of training's budget used up, from 0 to 1.
        """


def warm_up(progress: float) -> float:
    """The weight of divergences: rises from 0 to 1 over the first tenth of training."""
    return min(1.0, progress / _WARM_UP)


def weighed(model: JointLatentVAE, log_likelihoods: Tensor) -> Tensor:
    """Sum the columns' log-likelihoods (..., M) by the model's weights, to (...)."""
    return log_likelihoods @ model.weights


def column_terms(model: JointLatentVAE, log_likelihoods: Tensor, batch: Batch) -> dict[str, Tensor]:
    """Each column's mean log-likelihood over its present cells, in nats, of (B, S, M)."""
    with torch.no_grad():
        count = batch.present.sum(0).clamp_min(1)
        means = log_likelihoods.mean(1).sum(0) / count
        return dict(zip(model.modalities, means, strict=True))
