"""Interface of training objectives, which are in `latent_flow.losses` and `vae.objectives`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from torch import Tensor

from amodal.batch import Batch
from amodal.distributions import RowNoise
from amodal.models.base import GenerativeModel

AnyModel = TypeVar("AnyModel", bound=GenerativeModel, contravariant=True)


@dataclass(frozen=True)
class Loss:
    """A loss and its terms.

    Attributes:
        total: scalar to minimise, a mean over the rows of a batch.
        terms: name -> scalar without gradient, for logging.
    """

    total: Tensor
    terms: Mapping[str, Tensor]


class Objective(ABC, Generic[AnyModel]):
    """A training loss of one kind of model. Its dataclass fields are its hyper-parameters."""

    def check(self, model: AnyModel) -> None:
        """Refuse a model whose hyper-parameters do not go with the objective's.

        Raises:
            UsageError: they do not.
        """

    @abstractmethod
    def __call__(self, model: AnyModel, batch: Batch, noise: RowNoise, progress: float = 1.0) -> Loss:
        """Compute the loss of a batch.

        Args:
            model: model to train.
            batch: B rows, each with at least one present cell.
            noise: random numbers of the rows.
            progress: used share of the training budget, 0 to 1.
        """
