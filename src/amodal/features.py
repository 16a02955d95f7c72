"""Vectors of a table's cells for other tools: one row a row, one fixed-size list a column."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from amodal.files import replacing_file
from amodal.modalities import Modality
from amodal.table import BadCell, BadCellPolicy, Table, cell_problem, check_policy, convert

if TYPE_CHECKING:
    import pyarrow as pa

METADATA = b"amodal"
_NUMBERS_AT_ONCE = 2**24


def feature_table(
    table: Table, modalities: Mapping[str, Modality], *, bad_cells: BadCellPolicy = "error"
) -> tuple[pa.Table, tuple[BadCell, ...]]:
    """Turn a table's cells to vectors.

    Args:
        table: the rows.
        modalities: column -> its fitted modality.
        bad_cells: "error" refuses cells that cannot be read; "missing" takes them as missing.

    Returns:
        A table with one fixed-size list a column, null where a cell is missing; and the bad cells. Its schema's
        metadata says under "amodal", in JSON, each column's type, representation, shape, unit and fitted state.

    Raises:
        DataError: cells cannot be read, and `bad_cells` is "error".
        UsageError: `bad_cells` is neither "error" nor "missing".
    """
    import pyarrow as pa

    check_policy(bad_cells)
    batch, bad = convert(table, modalities)
    problem = cell_problem(bad, [], table.source)
    if problem and bad_cells == "error":
        raise problem
    columns, described = {}, {}
    for index, (name, modality) in enumerate(modalities.items()):
        present = batch.present[:, index]
        fitted = modality.refit(batch.x[name][present])
        # Of absent cells too, which is less work than to make room for them afterwards.
        columns[name] = _lists(fitted.features(batch.x[name]), present.numpy())
        described[name] = {
            "type": modality.type,
            "representation": modality.representation,
            "shape": list(modality.feature_shape) or [1],
            "unit": modality.unit,
            "fitted": fitted.to_dict(),
        }
    metadata = {METADATA: json.dumps(described, ensure_ascii=False).encode()}
    return pa.table(columns).replace_schema_metadata(metadata), bad


def _lists(vectors: Tensor, present: np.ndarray) -> pa.FixedSizeListArray:
    """Lists of the vectors (rows, F), null where no cell is present."""
    import pyarrow as pa

    values = pa.array(vectors.numpy().ravel())
    return pa.FixedSizeListArray.from_arrays(values, vectors.shape[1], mask=pa.array(~present))


def write_features(features: pa.Table, path: Path) -> None:
    """Write what `feature_table` or `embedding_table` gave as Parquet, whole or not at all."""
    from pyarrow import parquet

    numbers = sum(math.prod(entry["shape"]) for entry in described(features).values())
    with replacing_file(path) as beside:
        # A reader takes a group of rows at once, which must fit its memory.
        parquet.write_table(
            features,
            beside,
            row_group_size=max(1, _NUMBERS_AT_ONCE // numbers),
            use_dictionary=False,
            compression="zstd",
        )


def embedding_table(vectors: np.ndarray, fingerprint: str) -> pa.Table:
    """Each row's joint representation (rows, latent) as a table with the one column `embedding`.

    Args:
        vectors: as `TableModel.embed` gives them.
        fingerprint: of the data that the model was fitted to, which its metadata say.
    """
    import pyarrow as pa

    column = _lists(torch.from_numpy(vectors), np.ones(len(vectors), bool))
    about = {"embedding": {"shape": [vectors.shape[1]], "fingerprint": fingerprint}}
    return pa.table({"embedding": column}).replace_schema_metadata({METADATA: json.dumps(about).encode()})


def described(features: pa.Table) -> dict[str, dict[str, Any]]:
    """What the metadata say of each column."""
    return json.loads(features.schema.metadata[METADATA])
