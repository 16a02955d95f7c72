"""What every column type can do."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, ClassVar, Self

import pandas as pd
from torch import Tensor, nn
from torch.distributions import Distribution

from amodal.distributions import RowNoise, draw


@dataclass(frozen=True)
class Modality(ABC):
    """A column type fitted to a column: its fields are all it learned from the data, and JSON-able.

    The way of a cell: `to_tensor` makes the compact tensor that is stored, `scaled` the one that networks
    read and likelihoods score, and `to_cells` turns draws of that likelihood back to cells. `features` makes
    vectors for other tools.

    Attributes:
        type: the kind of column, as in `types={"COL": "TYPE"}`.
        representation: the kind of numbers it becomes, as in `types={"COL": "TYPE:REPRESENTATION"}`.
        unit: what the numbers of `features` are, and their range.
        suffix: of the files that its cells are written to, None for cells that stand in the table itself.
        latent: size of the latent of an autoencoder of the column alone, where a cell is the mean or mode of its
            likelihood, whose noise is no part of it; None where a draw of the likelihood is a cell.
        draw_rank: place in the order in which columns without a latent are drawn, lowest first: what says most of a
            row comes before what depends on it.
        costly: whether scoring a cell takes many times as long as a label, so that training scores it less often.
    """

    type: ClassVar[str]
    representation: ClassVar[str]
    unit: ClassVar[str]
    suffix: ClassVar[str | None] = None
    latent: ClassVar[int | None] = None
    draw_rank: ClassVar[int] = 2
    costly: ClassVar[bool] = False

    @classmethod
    @abstractmethod
    def accepts(cls, cells: pd.Series[Any], root: Path | None) -> str:
        """Say why these cells, a sample of a column without holes, are of this type.

        Raises:
            RejectColumn: they are not; the message says why.
        """

    @classmethod
    @abstractmethod
    def fit(cls, cells: pd.Series[Any], root: Path | None, **options: Any) -> Self:
        """Learn from a column's cells, without holes, what the conversion needs.

        Args:
            cells: the column's present cells.
            root: the folder that media cells are relative to.
            **options: fields to set by hand instead.

        Raises:
            RejectColumn: the cells cannot be of this type.
        """

    @property
    @abstractmethod
    def shape(self) -> tuple[int, ...]:
        """Shape of one cell's tensor."""

    @property
    def feature_shape(self) -> tuple[int, ...]:
        """What a vector of `features` becomes when it is reshaped; by default the shape of a cell's tensor."""
        return self.shape

    @property
    @abstractmethod
    def dtype(self) -> str:
        """NumPy's name for the type of the stored numbers."""

    @property
    @abstractmethod
    def summary(self) -> str:
        """What was learned, in a few words."""

    @property
    @abstractmethod
    def size(self) -> float:
        """How many numbers or words a cell holds, by which a likelihood's weight is set."""

    @abstractmethod
    def to_tensor(self, cells: pd.Series[Any], root: Path | None) -> Tensor:
        """Turn N present cells to the stored tensor (N, *shape).

        Raises:
            BadCells: some cells cannot be used; names them by position and says why.
        """

    def scaled(self, tensor: Tensor) -> Tensor:
        """Turn a stored tensor to what the encoder reads and the likelihood scores."""
        return tensor

    def augmented(self, tensor: Tensor, noise: RowNoise) -> Tensor:
        """Scaled tensors (N, ...) as they might as well have been, for encoders to learn from; by default themselves.

        Only what tells no other column anything may change.
        """
        return tensor

    def calibrated(self, tensor: Tensor) -> Self:
        """The modality as all stored tensors of its column have it, where `fit` looked at some; by default itself."""
        return self

    def features(self, tensor: Tensor) -> Tensor:
        """Turn stored tensors to vectors (N, F) for other tools, by default what networks read.

        F is the product of `feature_shape`.
        """
        return self.scaled(tensor).reshape(len(tensor), math.prod(self.feature_shape))

    def vector(self, tensor: Tensor) -> Tensor:
        """Turn stored tensors to vectors (N, F) whose numbers are amounts, by default what networks read, flattened."""
        cells = self.scaled(tensor).float()
        return cells.reshape(len(cells), math.prod(cells.shape[1:]))

    @abstractmethod
    def to_cells(self, tensor: Tensor) -> Sequence[Any]:
        """Turn N draws of the likelihood to N cells: values, or arrays that `write` puts into files."""

    @abstractmethod
    def encoder(self, features: int) -> nn.Module:
        """A network from the scaled tensor to features of shape (N, features)."""

    @abstractmethod
    def decoder(self, latent: int) -> nn.Module:
        """A network from latents (N, latent) to the likelihood of N cells, a `torch.distributions.Distribution`."""

    def conditional(self, context: int) -> nn.Module:
        """A network from contexts (N, context) to the distribution of N cells that they leave open.

        By default the decoder; for types without a `latent`.
        """
        return self.decoder(context)

    def draw(self, likelihood: Distribution, noise: RowNoise) -> Tensor:
        """What a user is shown of a likelihood: by default an honest draw."""
        return draw(likelihood, noise)

    def write(self, path: Path, cell: Any) -> None:
        """Write one cell to a file; only for types with a suffix."""
        raise NotImplementedError(f"{type(self).__name__} has no files")

    def to_dict(self) -> dict[str, Any]:
        """All that was learned, as plain data."""
        return asdict(self)

    @classmethod
    def from_dict(cls, state: dict[str, Any]) -> Self:
        """Make the modality anew from what `to_dict` gave.

        Raises:
            ValueError: the data do not fit this type.
        """
        names = {field.name for field in fields(cls)}
        if set(state) != names:
            raise ValueError(f"{cls.__name__} needs {sorted(names)}, not {sorted(state)}")
        return cls(
            **{key: tuple(value) if isinstance(value, list) else value for key, value in state.items()}
        )
