"""Feature vectors of a real table's cells for scikit-learn pipelines, fitted to its training rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile
from numpy.typing import NDArray

from amodal.media import Sound, read_image
from amodal.metrics.feature_blocks import (
    COMPONENTS,
    FeatureBlock,
    join_blocks,
    label_block,
    mel_bands,
    number_block,
    text_block,
    thumbnail,
)
from benchmarks.real_table import RealTable

Dense = NDArray[np.float64]

# The number changes with `thumbnail` or `mel_bands`, so that no vectors of others are read.
_KEPT = "vectors-1"


class TableFeatures:
    """The features of each column, made when they are first asked for.

    Args:
        table: to whose training rows all is fitted.
    """

    def __init__(self, table: RealTable) -> None:
        self._table = table
        self._blocks: dict[str, FeatureBlock] = {}

    def block(self, column: str) -> FeatureBlock:
        """One column's features."""
        if column not in self._blocks:
            self._blocks[column] = self._make(column)
        return self._blocks[column]

    def without(self, target: str) -> FeatureBlock:
        """The features of all columns but one."""
        return join_blocks([self.block(column) for column in self._table.kinds if column != target])

    def _make(self, column: str) -> FeatureBlock:
        kind = self._table.kinds[column]
        training, heldout = self._table.training[column], self._table.heldout[column]
        if kind == "text":
            return text_block(training.fillna("").tolist(), heldout.fillna("").tolist())
        if kind == "label":
            return label_block(training.fillna("").tolist(), heldout.fillna("").tolist())
        if kind == "number":
            values = [
                pd.to_numeric(cells, errors="coerce").to_numpy()[:, None] for cells in (training, heldout)
            ]
            return number_block(*values)
        return number_block(
            *media_vectors(self._table, column), components=COMPONENTS if kind == "image" else None
        )


@dataclass(frozen=True)
class MediaVectors:
    """The vectors of a media column's cells, kept in the table's folder since files are slow to read.

    Attributes:
        folder: of the table.
        column: the column's name.
        make: path -> vector.
    """

    folder: Path
    column: str
    make: Callable[[Path], Dense]

    @cached_property
    def _known(self) -> dict[str, Dense]:
        if not self._file.is_file():
            return {}
        with np.load(self._file) as kept:
            return dict(zip(kept["cells"].tolist(), kept["vectors"], strict=True))

    @property
    def _file(self) -> Path:
        return self.folder / f"{_KEPT}-{self.column}.npz"

    def __call__(self, cells: pd.Series) -> Dense:
        """(rows, F), NaN for a missing cell."""
        present = cells.dropna()
        new = [cell for cell in present.unique() if cell not in self._known]
        if new:
            self._known.update({cell: self.make(self.folder / cell) for cell in new})
            names, vectors = list(self._known), np.stack(list(self._known.values()))
            np.savez_compressed(self._file, cells=np.array(names), vectors=vectors)
        size = len(next(iter(self._known.values())))
        vectors = np.full((len(cells), size), np.nan)
        vectors[cells.notna().to_numpy()] = [self._known[cell] for cell in present]
        return vectors


def media_vectors(table: RealTable, column: str) -> tuple[Dense, Dense]:
    """The vectors of pictures or sounds of both parts, NaN for a missing cell."""
    picture = table.kinds[column] == "image"
    vectors = MediaVectors(table.folder, column, _read_thumbnail if picture else _read_bands)
    return vectors(table.training[column]), vectors(table.heldout[column])


def _read_thumbnail(path: Path) -> Dense:
    return thumbnail(read_image(path))


def read_recording(path: Path) -> Sound:
    """A sound as soundfile reads it: what a rival hears must not depend on amodal's reading."""
    samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    return Sound(samples.mean(1), rate)


def _read_bands(path: Path) -> Dense:
    return mel_bands(read_recording(path))
