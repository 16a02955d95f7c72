"""The base class of column types."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.distributions import Distribution

from amodal.distributions import RowNoise, draw


@dataclass(frozen=True)
class Modality(ABC):
    """A column type in one representation, fitted to a column: its fields are its fitted state, and JSON-able.

    The conversions: `to_tensor` turns cells to the compact tensor that is stored, `scale` turns that to what
    networks read and likelihoods score, `to_cells` turns draws of a likelihood to cells, and `to_bytes` a cell to
    a file's content. `features` gives vectors to other tools.

    Attributes:
        type: the column type, as in `types={"COL": "TYPE"}`.
        representation: the kind of tensor, as in `types={"COL": "TYPE:REPRESENTATION"}`.
        unit: unit and range of the numbers of `features`.
        dtype: NumPy's name for the type of the stored numbers.
        suffix: of the files that cells are written to; None where cells are values in the table itself.
        detection_cells: most cells that `detect` is given.
        latent: size of the latent of an autoencoder of the column alone, for types whose cell is the mode of its
            likelihood, without the noise; None where a cell is a draw of its likelihood.
        draw_rank: place in the order in which columns without a latent are drawn, lowest first: columns that
            determine most of a row come before those that depend on them.
        is_specific: cells of the type are known by their form, so that they are no identifiers, as dates.
        is_ordered: a stored tensor is one number, and a cell does not decrease with it.
    """

    type: ClassVar[str]
    representation: ClassVar[str]
    unit: ClassVar[str]
    dtype: ClassVar[str]
    suffix: ClassVar[str | None] = None
    detection_cells: ClassVar[int] = 200
    latent: ClassVar[int | None] = None
    draw_rank: ClassVar[int] = 2
    is_specific: ClassVar[bool] = False
    is_ordered: ClassVar[bool] = False

    @classmethod
    def full_name(cls) -> str:
        """Type and representation, as in "image:pixels"."""
        return f"{cls.type}:{cls.representation}"

    @classmethod
    @abstractmethod
    def detect(cls, cells: pd.Series[Any], root: Path | None) -> str:
        """The reason why a sample of a column's present cells is of this type, for a column without a given type.

        Raises:
            RejectColumn: the cells are of another type; the message says why.
            DataError: the cells are of this type by their names, but damaged.
        """

    @classmethod
    def is_missing(cls, cells: pd.Series[Any]) -> NDArray[np.bool_]:
        """True for each cell (N,) that stands for a missing one, as the text "n/a" among numbers; by default none."""
        return np.zeros(len(cells), bool)

    @classmethod
    @abstractmethod
    def fit(cls, cells: pd.Series[Any], root: Path | None, **options: Any) -> Self:
        """Fit to all present cells of a column.

        Args:
            cells: the cells.
            root: the folder that paths in cells are relative to.
            **options: values of fields, in place of fitted ones.

        Raises:
            RejectColumn: the cells cannot be of this type; the message says why.
        """

    @property
    @abstractmethod
    def shape(self) -> tuple[int, ...]:
        """Shape of one cell's stored tensor."""

    @property
    @abstractmethod
    def summary(self) -> str:
        """The fitted state in a few words, such as "28x28 grey"."""

    def from_comparable(self, values: NDArray[np.float64]) -> Sequence[Any]:
        """Cells of comparable numbers (N,), of ordered types that can be computed with."""
        raise NotImplementedError(f"{type(self).__name__} cannot be computed with")

    @property
    def num_outcomes(self) -> int | None:
        """Count K of the cells there can be, whose stored tensors are 0 to K - 1; None where they are not counted."""
        return None

    def comparable(self, cells: Sequence[Any] | pd.Series[Any]) -> NDArray[Any]:
        """Present cells as values (N,) that compare as the cells do: float64 where they have an order.

        Values of two columns of a type compare with each other. By default the stored numbers of ordered types, and
        the cells themselves of others.

        Raises:
            BadCells: some cells cannot be used.
        """
        if self.is_ordered:
            return self.to_tensor(pd.Series(cells), None).double().numpy()
        values = np.empty(len(cells), dtype=object)
        values[:] = list(cells)
        return values

    @property
    def feature_shape(self) -> tuple[int, ...]:
        """Shape that a vector of `features` is flattened from; by default `shape`."""
        return self.shape

    @property
    def scoring_cost(self) -> float:
        """Time to score a cell, 1 for a short text: costly cells are scored under fewer masks in training."""
        return 0.0

    @property
    def size(self) -> float:
        """Numbers or words in a cell, by which its likelihood is weighted; by default the tensor's."""
        return float(math.prod(self.shape))

    @abstractmethod
    def to_tensor(self, cells: pd.Series[Any], root: Path | None) -> Tensor:
        """Turn N present cells to the stored tensor (N, *shape). Called from several threads.

        Raises:
            BadCells: some cells cannot be used; gives their positions and the reasons.
        """

    def scale(self, tensor: Tensor) -> Tensor:
        """Turn stored tensors to what encoders read and likelihoods score; by default the same."""
        return tensor

    def augment(self, tensor: Tensor, noise: RowNoise) -> Tensor:
        """Randomly change scaled tensors (N, ...) for encoders in training; by default not at all.

        Only what is independent of all other columns may change.
        """
        return tensor

    def refit(self, tensor: Tensor) -> Self:
        """The modality fitted to all stored tensors of its column, where `fit` read a sample; by default itself."""
        return self

    def features(self, tensor: Tensor) -> Tensor:
        """Vectors (N, F) of stored tensors for other tools, by default scaled; F is the product of `feature_shape`."""
        return self.scale(tensor).reshape(len(tensor), math.prod(self.feature_shape))

    def vector(self, tensor: Tensor) -> Tensor:
        """Float vectors (N, F) of stored tensors for linear layers: amounts, no codes; by default scaled."""
        cells = self.scale(tensor).float()
        return cells.reshape(len(cells), math.prod(cells.shape[1:]))

    def linear_features(self, tensor: Tensor) -> Tensor:
        """Float vectors (N, F) of scaled tensors for linear regressions; by default flattened."""
        return tensor.float().reshape(len(tensor), math.prod(tensor.shape[1:]))

    @abstractmethod
    def to_cells(self, tensor: Tensor) -> Sequence[Any]:
        """Turn N draws, as likelihoods score them, to N cells: values, or what `to_bytes` takes."""

    def parse_text(self, cells: Sequence[Any]) -> Sequence[Any]:
        """Cells of a file of texts as the numbers or truth values that they write; by default as they are."""
        return cells

    def match(self, drawn: Sequence[Any], own: pd.Series[Any]) -> Sequence[Any]:
        """Drawn cells as a table's own cells of the column are: texts among texts; by default as they are.

        Args:
            drawn: of `to_cells`.
            own: present cells of the table, at least one.
        """
        return drawn

    def to_bytes(self, cell: Any) -> bytes:
        """The content of a cell's file, for types with a suffix."""
        raise NotImplementedError(f"{type(self).__name__} has no files")

    @abstractmethod
    def encoder(self, features: int) -> nn.Module:
        """A network from scaled tensors (N, ...) to features (N, features)."""

    @abstractmethod
    def head(self, context: int) -> nn.Module:
        """A network from contexts (N, context) to the `torch.distributions.Distribution` of N scaled cells."""

    def decoder(self, latent: int) -> nn.Module:
        """A network from latents (N, latent), which leave little open, to the same; by default the head."""
        return self.head(latent)

    def to_display(self, likelihood: Distribution, noise: RowNoise) -> Tensor:
        """Tensors for `to_cells`: the mode where the column has a latent, else a draw."""
        return draw(likelihood, noise) if self.latent is None else likelihood.mode

    def to_dict(self) -> dict[str, Any]:
        """The fitted state as plain data."""
        return asdict(self)

    @classmethod
    def from_dict(cls, state: dict[str, Any]) -> Self:
        """Restore the modality from what `to_dict` gave.

        Raises:
            ValueError: the state has other fields.
        """
        names = {field.name for field in fields(cls)}
        if set(state) != names:
            raise ValueError(f"{cls.__name__} needs {sorted(names)}, not {sorted(state)}")
        return cls(
            **{key: tuple(value) if isinstance(value, list) else value for key, value in state.items()}
        )


def find_modality(name: str, modalities: Iterable[type[Modality]]) -> type[Modality] | None:
    """The first modality of a type ("image") or full name ("image:pixels"); None where there is none."""
    return next((each for each in modalities if name in (each.type, each.full_name())), None)
