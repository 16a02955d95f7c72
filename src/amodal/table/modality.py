"""What tables need of a column's modality: the protocols, which `amodal.modalities` meets."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Protocol, Self

import pandas as pd
from torch import Tensor

__all__ = ["CellWriter", "Modality"]


class CellWriter(Protocol):
    """Writes a cell to a file.

    Attributes:
        suffix: the suffix of such files, ".png" for example; None where cells stand in the table itself.
    """

    suffix: ClassVar[str | None]

    def write(self, path: Path, cell: Any) -> None:
        """Write one present cell to this path."""


class Modality(CellWriter, Protocol):
    """A type of column in one of its representations, fitted to the cells of one column.

    Attributes:
        type: such as "image".
        representation: such as "pixels".
    """

    type: ClassVar[str]
    representation: ClassVar[str]

    @classmethod
    def accepts(cls, cells: pd.Series, root: Path | None) -> str:
        """Say why these present cells, a sample, are of this type.

        Cheap, and a judgement: asked only where the user named no type.

        Raises:
            RejectColumn: they are not; says why.
        """

    @classmethod
    def fit(cls, cells: pd.Series, root: Path | None, **options: Any) -> Self:
        """Fit to all present cells of a column.

        Raises:
            RejectColumn: the cells cannot be of this type; says why.
        """

    @property
    def summary(self) -> str:
        """What was fitted, in a few words: "28x28 grey pixels"."""

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one cell's tensor."""

    @property
    def dtype(self) -> str:
        """NumPy's name of the tensor's type: "uint8", "float16", "int64"."""

    def to_tensor(self, cells: pd.Series, root: Path | None) -> Tensor:
        """Turn n present cells into a tensor of shape (n, *shape). Called from several threads.

        Raises:
            BadCells: some cannot be turned; says which, by position among `cells`, and why.
        """

    def to_dict(self) -> Mapping[str, Any]:
        """Give all fitted state as JSON."""
