"""Feature vectors of a real table's cells for scikit-learn pipelines, fitted to its training rows."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile
from numpy.typing import NDArray
from scipy import sparse
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.preprocessing import OneHotEncoder

from amodal.media import Sound, fit_image, log_mel, read_image
from benchmarks.real_table import RealTable

Dense = NDArray[np.float64]

_COMPONENTS = 64
_MOST_LABELS = 64
_MOST_TERMS = 30_000
_THUMBNAIL = 16
# The number changes with `thumbnail` or `mel_bands`, so that no vectors of others are read.
_KEPT = "vectors-1"


@dataclass(frozen=True)
class Block:
    """One column's features of the training and of the held-out rows; zeros for a missing cell.

    Attributes:
        wide: (rows, F) sparse, of both parts: all that a linear model can use.
        dense: (rows, up to about 64), of both parts: the same in few numbers, for neighbours and trees.
    """

    wide: tuple[sparse.csr_matrix, sparse.csr_matrix]
    dense: tuple[Dense, Dense]


class TableFeatures:
    """The features of each column, made when they are first asked for.

    Args:
        table: to whose training rows all is fitted.
    """

    def __init__(self, table: RealTable) -> None:
        self._table = table
        self._blocks: dict[str, Block] = {}

    def block(self, column: str) -> Block:
        """One column's features."""
        if column not in self._blocks:
            self._blocks[column] = self._make(column)
        return self._blocks[column]

    def without(self, target: str) -> Block:
        """The features of all columns but one beside each other.

        Dense ones have the same total variance in each column, so that no column drowns the others' distances.
        """
        blocks = [self.block(column) for column in self._table.kinds if column != target]
        wide = tuple(sparse.hstack([block.wide[part] for block in blocks]).tocsr() for part in (0, 1))
        scales = [np.sqrt(block.dense[0].var(axis=0).sum()) or 1.0 for block in blocks]
        dense = tuple(
            np.concatenate(
                [block.dense[part] / scale for block, scale in zip(blocks, scales, strict=True)], axis=1
            )
            for part in (0, 1)
        )
        return Block(wide, dense)

    def _make(self, column: str) -> Block:
        kind = self._table.kinds[column]
        training, heldout = self._table.training[column], self._table.heldout[column]
        if kind == "text":
            return _texts(training.fillna(""), heldout.fillna(""))
        if kind == "label":
            return _labels(training.fillna("").to_frame(), heldout.fillna("").to_frame())
        if kind == "number":
            values = [
                pd.to_numeric(cells, errors="coerce").to_numpy()[:, None] for cells in (training, heldout)
            ]
            return _numbers(*values)
        return _numbers(
            *media_vectors(self._table, column), components=_COMPONENTS if kind == "image" else None
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


def thumbnail(picture: NDArray[np.uint8]) -> Dense:
    """A picture in 16 x 16 points of three colours, 0 to 1."""
    return fit_image(picture, _THUMBNAIL, _THUMBNAIL, 3).astype(np.float64).ravel() / 255


def mel_bands(sound: Sound) -> Dense:
    """The mean and the deviation of 64 mel bands, and the sound's seconds."""
    bands = log_mel(sound.samples, sound.rate, target_rate=16_000, n_fft=1024, hop=256, mels=64)
    return np.concatenate([bands.mean(1), bands.std(1), [sound.seconds]]).astype(np.float64)


def _read_thumbnail(path: Path) -> Dense:
    return thumbnail(read_image(path))


def read_recording(path: Path) -> Sound:
    """A sound as soundfile reads it: what a rival hears must not depend on amodal's reading."""
    samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    return Sound(samples.mean(1), rate)


def _read_bands(path: Path) -> Dense:
    return mel_bands(read_recording(path))


def _texts(training: pd.Series, heldout: pd.Series) -> Block:
    if not training.map(lambda text: bool(re.search(r"\w", text))).any():
        return _numbers(np.full((len(training), 1), np.nan), np.full((len(heldout), 1), np.nan))
    # Words of one character count too: scikit-learn's own pattern leaves them out.
    counter = TfidfVectorizer(
        ngram_range=(1, 2),
        tokenizer=re.compile(r"\w+").findall,
        token_pattern=None,
        sublinear_tf=True,
        max_features=_MOST_TERMS,
    )
    wide = counter.fit_transform(training), counter.transform(heldout)
    return Block(wide, _in_few(*wide, _COMPONENTS))


def _labels(training: pd.DataFrame, heldout: pd.DataFrame) -> Block:
    every = OneHotEncoder(handle_unknown="ignore").fit(training)
    frequent = OneHotEncoder(
        max_categories=_MOST_LABELS, handle_unknown="infrequent_if_exist", sparse_output=False
    ).fit(training)
    return Block(
        (every.transform(training).tocsr(), every.transform(heldout).tocsr()),
        (frequent.transform(training), frequent.transform(heldout)),
    )


def _numbers(training: Dense, heldout: Dense, components: int | None = None) -> Block:
    """Standardised numbers (rows, F), 0 where they are missing, and beside them whether they are."""
    known = training[~np.isnan(training).any(axis=1)]
    mean, scale = (known.mean(0), known.std(0)) if len(known) else (0.0, np.ones(training.shape[1]))
    scale = np.where(scale > 0, scale, 1.0)

    def of(values: Dense) -> tuple[Dense, Dense]:
        return np.nan_to_num((values - mean) / scale), np.isnan(values).any(axis=1)[:, None].astype(float)

    (one, one_missing), (other, other_missing) = of(training), of(heldout)
    few = (one, other) if components is None else _in_few(one, other, components)
    # A picture's hundreds of numbers weigh together as much as one, or a linear model would read nothing else.
    together = np.sqrt(one.shape[1])
    wide = (
        sparse.csr_matrix(np.hstack([one / together, one_missing])),
        sparse.csr_matrix(np.hstack([other / together, other_missing])),
    )
    return Block(wide, (np.hstack([few[0], one_missing]), np.hstack([few[1], other_missing])))


def _in_few(
    training: sparse.csr_matrix | Dense, heldout: sparse.csr_matrix | Dense, components: int
) -> tuple[Dense, Dense]:
    components = min(components, training.shape[1] - 1, training.shape[0] - 1)
    if components < 1:
        return tuple(part.toarray() if sparse.issparse(part) else part for part in (training, heldout))
    with np.errstate(invalid="ignore"):  # of columns that are all zeros the explained share is 0/0
        decomposition = TruncatedSVD(components, random_state=0).fit(training)
    return decomposition.transform(training), decomposition.transform(heldout)
