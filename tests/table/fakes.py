"""Small column types without networks: a file, a number, a label."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import pandas as pd
import torch
from torch import Tensor, nn

from amodal.errors import BadCells, RejectColumn
from amodal.modalities import Modality
from amodal.table import Table, read_table

WIDTH = 4


class WithoutNetworks(Modality):
    """What tables leave alone."""

    unit: ClassVar[str] = "none"
    size: ClassVar[float] = 1.0  # type: ignore[assignment]

    def to_cells(self, tensor: Tensor) -> list[Any]:
        raise NotImplementedError

    def encoder(self, features: int) -> nn.Module:
        raise NotImplementedError

    def head(self, context: int) -> nn.Module:
        raise NotImplementedError


@dataclass(frozen=True)
class Note(WithoutNetworks):
    """A .txt file as its first four bytes; stands for pictures and sounds."""

    type: ClassVar[str] = "note"
    representation: ClassVar[str] = "bytes"
    suffix: ClassVar[str | None] = ".txt"

    dtype: ClassVar[str] = "uint8"
    shape: ClassVar[tuple[int, ...]] = (WIDTH,)  # type: ignore[assignment]

    longest: int

    @classmethod
    def detect(cls, cells: pd.Series, root: Path | None) -> str:
        for cell in cells:
            if not (isinstance(cell, str) and cell.endswith(".txt")):
                raise RejectColumn(f"{cell!r} is no .txt file")
        return "names of .txt files"

    @classmethod
    def fit(cls, cells: pd.Series, root: Path | None, *, longest: int = 9) -> Self:
        return cls(longest)

    @property
    def summary(self) -> str:
        return f"{WIDTH} bytes"

    def to_tensor(self, cells: pd.Series, root: Path | None) -> Tensor:
        found, bad = [], {}
        for position, cell in enumerate(cells):
            path = (root or Path()) / str(cell)
            if path.is_file():
                found.append(list(path.read_bytes()[:WIDTH].ljust(WIDTH, b" ")))
            else:
                bad[position] = "no such file"
        if bad:
            raise BadCells(bad)
        return torch.tensor(found, dtype=torch.uint8)

    def to_bytes(self, cell: str) -> bytes:
        return "".join(cell).encode()


class NoteLength(Note):
    """Another representation of the same type."""

    representation: ClassVar[str] = "length"


@dataclass(frozen=True)
class Number(WithoutNetworks):
    type: ClassVar[str] = "number"
    representation: ClassVar[str] = "standard"
    shape: ClassVar[tuple[int, ...]] = ()  # type: ignore[assignment]
    dtype: ClassVar[str] = "float32"

    largest: float
    threads: ClassVar[set[int]] = set()

    @classmethod
    def detect(cls, cells: pd.Series, root: Path | None) -> str:
        if pd.to_numeric(cells, errors="coerce").isna().mean() > 0.2:
            raise RejectColumn("not numbers")
        return "numbers"

    @classmethod
    def fit(cls, cells: pd.Series, root: Path | None, **options: Any) -> Self:
        numbers = pd.to_numeric(cells, errors="coerce").dropna()
        if numbers.empty:
            raise RejectColumn("no cell is a number")
        return cls(float(numbers.max()))

    @property
    def summary(self) -> str:
        return f"up to {self.largest}"

    def to_tensor(self, cells: pd.Series, root: Path | None) -> Tensor:
        self.threads.add(threading.get_ident())
        values = torch.tensor(pd.to_numeric(cells, errors="coerce").to_numpy(dtype="float32"))
        bad = (~values.isfinite()).nonzero()[:, 0].tolist()
        # Like a reader that stops at the first it cannot read.
        if bad:
            raise BadCells({bad[0]: "not a finite number"})
        return values


@dataclass(frozen=True)
class Label(WithoutNetworks):
    type: ClassVar[str] = "category"
    representation: ClassVar[str] = "one_hot"
    shape: ClassVar[tuple[int, ...]] = ()  # type: ignore[assignment]
    dtype: ClassVar[str] = "int64"

    labels: tuple[str, ...]

    @classmethod
    def detect(cls, cells: pd.Series, root: Path | None) -> str:
        return f"{cells.nunique()} labels"

    @classmethod
    def fit(cls, cells: pd.Series, root: Path | None, **options: Any) -> Self:
        return cls(tuple(sorted(cells.astype(str).unique())))

    @property
    def summary(self) -> str:
        return f"{len(self.labels)} labels"

    def to_tensor(self, cells: pd.Series, root: Path | None) -> Tensor:
        bad = {i: "unknown label" for i, cell in enumerate(cells) if str(cell) not in self.labels}
        if bad:
            raise BadCells(bad)
        return torch.tensor([self.labels.index(str(cell)) for cell in cells])


MODALITIES: tuple[type[Modality], ...] = (Note, NoteLength, Number, Label)


def table_with_notes(folder: Path, rows: int = 300) -> Table:
    """A table of notes, weights and sorts, each with holes of its own, read from a CSV."""
    (folder / "notes").mkdir(parents=True)
    lines = ["note,weight,sort"]
    for row in range(rows):
        (folder / "notes" / f"{row}.txt").write_text(f"n{row}")
        note = "" if row % 7 == 3 else f"notes/{row}.txt"
        weight = "" if row % 5 == 2 else f"{row * 0.25}"
        lines.append(f"{note},{weight},{'abc'[row * 7 % 3]}")
    (folder / "table.csv").write_text("\n".join(lines))
    return read_table(folder / "table.csv")
