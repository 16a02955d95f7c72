"""What several commands are given, and how it is read."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from amodal.errors import UsageError

DataArgument = Annotated[
    Path,
    typer.Argument(
        metavar="DATA", help="A .csv, .tsv, .jsonl or .parquet file, or a folder with metadata.csv."
    ),
]
ModelArgument = Annotated[Path, typer.Argument(metavar="MODEL", help="A folder that `amodal fit` wrote.")]
FolderOption = Annotated[Path, typer.Option("-o", "--output", metavar="DIR", help="Folder to write.")]
SeedOption = Annotated[int, typer.Option(help="Same seed, same result.")]
MediaRootOption = Annotated[
    Path | None, typer.Option(help="Folder that paths in the table are relative to. [default: the table's]")
]
TypeOption = Annotated[
    list[str] | None,
    typer.Option(
        "--type",
        metavar="COL=TYPE",
        help="A column's type: image, audio, text, number, category or ignore; or a representation too, such as "
        "image:patches, audio:mfcc, text:bag_of_words, text:embedding.",
    ),
]
ConfigOption = Annotated[Path | None, typer.Option(help="YAML file with any of TableModel's settings.")]
OverwriteOption = Annotated[bool, typer.Option("--overwrite", help="Replace what is there.")]
BadCellsOption = Annotated[
    str, typer.Option(help="Cells that cannot be read: error, or missing (listed in bad_cells.csv).")
]
GuidanceOption = Annotated[
    float | None,
    typer.Option(
        help="How much texts, pictures and sounds keep to what is given: 1 as the model believes, more agrees better "
        "and varies less; latent-flow. [default: the model's]"
    ),
]
FastOption = Annotated[
    bool, typer.Option("--fast", help="Draw pictures and sounds in a few jumps; latent-flow.")
]
DeviceOption = Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")]


def names(text: str | None) -> list[str] | None:
    """Read A,B,C; None where nothing was given."""
    return None if text is None else [name.strip() for name in text.split(",") if name.strip()]


def pairs(items: list[str] | None, option: str) -> dict[str, str]:
    """Read COL=VALUE; a column's name may itself hold an equals sign only in a config file."""
    read = {}
    for item in items or []:
        name, equals, value = item.partition("=")
        if not (name and equals and value):
            raise UsageError(f"{option} {item!r} is not understood: write COLUMN=VALUE.")
        read[name] = value
    return read


def read_config(path: Path | None) -> dict[str, Any]:
    """Read TableModel's settings from a YAML file; none where no file was given."""
    if path is None:
        return {}
    import inspect as reflection

    import yaml

    from amodal.estimator import TableModel

    if not path.is_file():
        raise UsageError(f"There is no file {path}.")
    try:
        settings = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except yaml.YAMLError as problem:
        raise UsageError(f"{path} is not YAML: {problem}") from problem
    known = set(reflection.signature(TableModel).parameters)
    if not isinstance(settings, dict) or not set(settings) <= known:
        wrong = sorted(set(settings) - known) if isinstance(settings, dict) else settings
        raise UsageError(f"{path}: unknown settings {wrong}. Choose from {', '.join(sorted(known))}.")
    return settings
