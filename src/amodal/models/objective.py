"""What every objective is: a model and a batch to a loss."""

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
