"""amodal embed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from amodal.cli.arguments import DataArgument, DeviceOption, MediaRootOption, ModelArgument
from amodal.cli.folders import load


def embed(
    model: ModelArgument,
    data: DataArgument,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE.parquet", help="File to write.")],
    media_root: MediaRootOption = None,
    device: DeviceOption = "auto",
) -> None:
    """Write each row's joint representation, one fixed-size list a row."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from amodal.files import replacing_file

    vectors = load(model, device).embed(data, media_root=media_root)
    column = pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), vectors.shape[1])
    with replacing_file(output) as beside:
        pq.write_table(pa.table({"embedding": column}), beside)
    typer.echo(f"{output}: {vectors.shape[0]} rows of {vectors.shape[1]} numbers")
