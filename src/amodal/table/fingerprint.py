"""Fingerprints of tables, by which a later run detects changed data."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import blake2b
from pathlib import Path

import numpy as np
import pandas as pd

from amodal.media import Sound
from amodal.modalities import Modality
from amodal.table.reading import Table

__all__ = ["fingerprint"]


def fingerprint(table: Table, modalities: Mapping[str, Modality]) -> str:
    """Hash the used columns' names, cells and fitted modalities, and the sizes of the files that cells name.

    Files are not read, so that a change of a file that keeps its size is not detected. The folder makes no difference.

    Returns:
        32 hexadecimal digits.
    """
    digest = blake2b(digest_size=16)
    for name, modality in modalities.items():
        cells = table.frame[name]
        described = [name, modality.type, modality.representation, modality.to_dict()]
        digest.update(json.dumps(described, sort_keys=True).encode())
        digest.update(_hashes(cells).tobytes())
        if modality.suffix is not None:
            digest.update(_sizes(cells.dropna(), table.root or Path()).tobytes())
    return digest.hexdigest()


def _hashes(cells: pd.Series) -> np.ndarray:
    try:
        return pd.util.hash_pandas_object(cells, index=False).to_numpy()
    except TypeError:  # arrays and lists have no hash
        return pd.util.hash_pandas_object(cells.map(_content), index=False).to_numpy()


def _content(cell: object) -> str:
    if isinstance(cell, np.ndarray) and cell.dtype != object:
        return f"{cell.dtype}{cell.shape}{blake2b(cell.tobytes()).hexdigest()}"
    if isinstance(cell, Sound):
        return f"{cell.rate}{_content(cell.samples)}"
    if isinstance(cell, bytes):
        return blake2b(cell).hexdigest()
    if isinstance(cell, Mapping):
        return str({key: _content(value) for key, value in cell.items()})
    if isinstance(cell, tuple | list | np.ndarray):
        return str([_content(value) for value in cell])
    if hasattr(cell, "tobytes") and hasattr(cell, "size"):  # an image of Pillow, whose text names its address
        return f"{cell.size}{blake2b(cell.tobytes()).hexdigest()}"
    return repr(cell)


def _sizes(cells: pd.Series, root: Path) -> np.ndarray:
    return np.array([_size(root / cell) for cell in cells if isinstance(cell, str | Path)], dtype=np.int64)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except (OSError, ValueError):  # ValueError: a cell with a null character is no path
        return -1
