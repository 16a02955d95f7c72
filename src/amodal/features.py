"""Feature tables: vectors of a table's cells for other tools."""

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
from amodal.table import BadCell, BadCellPolicy, Table, encode_cells

if TYPE_CHECKING:
    import pyarrow as pa

METADATA = b"amodal"
_MAX_GROUP = 2**24
"""Numbers in a row group, which a reader holds in memory at once."""


def feature_table(
    table: Table, modalities: Mapping[str, Modality], *, bad_cells: BadCellPolicy = "error"
) -> tuple[pa.Table, tuple[BadCell, ...]]:
    """Encode a table's cells as vectors.

    Args:
        table: the rows.
        modalities: column -> its fitted modality.
        bad_cells: "error" refuses cells that cannot be read; "missing" takes them as missing.

    Returns:
        A table of one fixed-size list a column, null where a cell is missing, and the bad cells. The schema's metadata
        has under "amodal", in JSON, each column's type, representation, shape, unit and fitted state.

    Raises:
        DataError: cells cannot be read, and `bad_cells` is "error".
        UsageError: `bad_cells` is neither "error" nor "missing".
    """
    import pyarrow as pa

    batch, bad = encode_cells(table, modalities, bad_cells=bad_cells)
    columns, metadata = {}, {}
    for index, (name, modality) in enumerate(modalities.items()):
        present = batch.present[:, index]
        fitted = modality.refit(batch.x[name][present])
        # Missing cells too, which is faster than to insert them afterwards.
        columns[name] = _lists(fitted.features(batch.x[name]), present.numpy())
        metadata[name] = {
            "type": modality.type,
            "representation": modality.representation,
            "shape": list(modality.feature_shape) or [1],
            "unit": modality.unit,
            "fitted": fitted.to_dict(),
        }
    content = json.dumps(metadata, ensure_ascii=False).encode()
    return pa.table(columns).replace_schema_metadata({METADATA: content}), bad


def _lists(vectors: Tensor, present: np.ndarray) -> pa.FixedSizeListArray:
    """Vectors (rows, F) as lists, null where `present` is false."""
    import pyarrow as pa

    values = pa.array(vectors.numpy().ravel())
    return pa.FixedSizeListArray.from_arrays(values, vectors.shape[1], mask=pa.array(~present))


def write_features(features: pa.Table, path: Path) -> None:
    """Write a table of `feature_table` or `embedding_table` as Parquet, atomically."""
    from pyarrow import parquet

    numbers = sum(math.prod(column["shape"]) for column in feature_metadata(features).values())
    with replacing_file(path) as staging:
        parquet.write_table(
            features,
            staging,
            row_group_size=max(1, _MAX_GROUP // numbers),
            use_dictionary=False,
            compression="zstd",
        )


def embedding_table(vectors: np.ndarray, fingerprint: str) -> pa.Table:
    """Joint representations (rows, latent) as a table with the column `embedding`.

    Args:
        vectors: of `TableModel.embed`.
        fingerprint: of the data that the model was fitted to, for the metadata.
    """
    import pyarrow as pa

    column = _lists(torch.from_numpy(vectors), np.ones(len(vectors), bool))
    metadata = {"embedding": {"shape": [vectors.shape[1]], "fingerprint": fingerprint}}
    return pa.table({"embedding": column}).replace_schema_metadata({METADATA: json.dumps(metadata).encode()})


def feature_metadata(features: pa.Table) -> dict[str, dict[str, Any]]:
    """The metadata of each column."""
    return json.loads(features.schema.metadata[METADATA])
