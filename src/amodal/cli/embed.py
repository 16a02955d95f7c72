"""amodal embed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from amodal.cli.arguments import (
    DataArgument,
    DeviceOption,
    EncodingOption,
    FollowLinksOption,
    MediaRootOption,
    ModelArgument,
    OverwriteOption,
    SepOption,
    reading,
)
from amodal.cli.folders import load
from amodal.files import check_output_file


def embed(
    model: ModelArgument,
    data: DataArgument,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE.parquet", help="File to write.")],
    media_root: MediaRootOption = None,
    sep: SepOption = None,
    encoding: EncodingOption = None,
    follow_links: FollowLinksOption = False,
    device: DeviceOption = "auto",
    overwrite: OverwriteOption = False,
) -> None:
    """Write each row's joint representation, one fixed-size list a row."""
    check_output_file(output, overwrite=overwrite, inputs=[model, data, media_root])
    from amodal.features import embedding_table, write_features

    fitted = load(model, device)
    vectors = fitted.embed(data, media_root=media_root, **reading(sep, encoding, follow_links))
    write_features(embedding_table(vectors, fitted.fitted_.fingerprint), output)
    typer.echo(f"{output}: {vectors.shape[0]} rows of {vectors.shape[1]} numbers")
