"""Arguments and options that several commands share, and their parsing."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from amodal.errors import UsageError

if TYPE_CHECKING:
    from amodal.estimator import TableModel
    from amodal.table import ReadOptions

DataArgument = Annotated[
    str,
    typer.Argument(
        metavar="DATA",
        help="A .csv, .tsv, .jsonl, .parquet or .xlsx file, its address (https://, s3://), or a folder with "
        "metadata.csv.",
    ),
]
SepOption = Annotated[
    str | None,
    typer.Option(
        metavar="CHARACTER", help="Between two cells of a text file; found by default, tab as '\\t'."
    ),
]
EncodingOption = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="Of a text file, such as utf-8, utf-16 or cp1252; found by default."),
]
FollowLinksOption = Annotated[
    bool,
    typer.Option(
        "--follow-links", help="Read media that symbolic links name, also outside the table's folder."
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
        help="A column's type: image, audio, text, number, category, boolean, datetime, duration, tags or ignore; or a "
        "representation too, such as image:patches, audio:mfcc, text:bag_of_words, text:embedding.",
    ),
]
MissingOption = Annotated[
    list[str] | None,
    typer.Option(
        "--missing",
        metavar="COL=CELL",
        help="A cell that stands for a missing one, such as age=-1; repeatable.",
    ),
]
ConfigOption = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE", help="YAML file with arguments of TableModel, the method's settings among them."
    ),
]
OverwriteOption = Annotated[bool, typer.Option("--overwrite", help="Replace what is there.")]
BadCellsOption = Annotated[
    str, typer.Option(help="Cells that cannot be read: error, or missing (listed in bad_cells.csv).")
]
GuidanceOption = Annotated[
    float | None,
    typer.Option(
        help="Strength of guidance of texts, images and sounds by the given cells: 1 for none, more agrees better "
        "and varies less; latent-flow. [default: the model's]"
    ),
]
FastOption = Annotated[
    bool, typer.Option("--fast", help="Draw images and sounds in a few steps; latent-flow.")
]
WhereOption = Annotated[
    str | None,
    typer.Option(
        metavar="CONDITION",
        help="A condition that all rows meet, such as \"price > 10 and kind in ['a', 'b'] and image is not null\".",
    ),
]
DeviceOption = Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")]


def reading(sep: str | None, encoding: str | None, follow_links: bool) -> ReadOptions:
    """Keywords of `read_table` from options."""
    tab = {"\\t": "\t", "tab": "\t"}
    return {"sep": tab.get(sep or "", sep), "encoding": encoding, "follow_links": follow_links}


def names(text: str | None) -> list[str] | None:
    """Parse A,B,C; None for None."""
    return None if text is None else [name.strip() for name in text.split(",") if name.strip()]


def pairs(items: list[str] | None, option: str, name: str = "COLUMN") -> dict[str, str]:
    """Parse NAME=VALUE; a name that holds an equals sign needs a config file."""
    read = {}
    for item in items or []:
        key, equals, value = item.partition("=")
        if not (key and equals and value):
            raise UsageError(f"{option} {item!r} is not understood: write {name}=VALUE.")
        read[key] = value
    return read


def missing_codes(items: list[str] | None) -> dict[str, list[str]] | None:
    """Parse COLUMN=CELL, of which a column may have several; None without any."""
    codes: dict[str, list[str]] = {}
    for item in items or []:
        [(column, cell)] = pairs([item], "--missing").items()
        codes.setdefault(column, []).append(cell)
    return codes or None


def table_model(config: Path | None, given: Mapping[str, Any]) -> TableModel:
    """A model with arguments from a YAML file and others that win over them.

    Args:
        config: the file; None for none.
        given: argument or setting of TableModel -> value; None for an option that was not given. Types are added to
            the file's.

    Raises:
        UsageError: the file is missing or no YAML, or an argument or setting is unknown or out of range.
    """
    from amodal.estimator import TableModel

    arguments = read_config(config)
    types = {**(arguments.get("types") or {}), **(given.get("types") or {})}
    arguments |= {name: value for name, value in given.items() if value is not None} | {"types": types}
    try:
        return TableModel(**arguments)
    except UsageError as problem:
        if config is not None:
            problem.add_note(f"Settings were read from {config}.")
        raise


def read_config(path: Path | None) -> dict[str, Any]:
    """Arguments of TableModel from a YAML file, with nested settings as OWNER.FIELD; empty without a file.

    Raises:
        UsageError: the file is missing, or no mapping in YAML.
    """
    if path is None:
        return {}
    import yaml

    if not path.is_file():
        raise UsageError(f"There is no file {path}.")
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except (yaml.YAMLError, UnicodeDecodeError) as problem:
        raise UsageError(f"{path} is not YAML: {problem}") from problem
    if not isinstance(content, dict) or not all(isinstance(name, str) for name in content):
        raise UsageError(f"{path}: write NAME: VALUE, one a line.")
    arguments: dict[str, Any] = {}
    for name, value in content.items():
        if isinstance(value, dict) and name not in ("types", "options"):
            arguments |= {f"{name}.{field}": each for field, each in value.items()}
        else:
            arguments[name] = value
    return arguments


def label_shares(text: str | None) -> dict[str, dict[str, float]] | None:
    """Parse COL=LABEL:SHARE,LABEL:SHARE; several columns are separated by semicolons.

    Example:
        >>> label_shares("kind=a:.25,b:.75")
        {'kind': {'a': 0.25, 'b': 0.75}}
    """
    if text is None:
        return None
    found: dict[str, dict[str, float]] = {}
    for column in text.split(";"):
        name, equals, labels = column.partition("=")
        try:
            parts = [part.rpartition(":") for part in labels.split(",")]
            found[name.strip()] = {label.strip(): float(share) for label, _, share in parts}
        except ValueError:
            equals = ""
        if not (name.strip() and equals):
            raise UsageError(f"--shares {text!r} is not understood: write COLUMN=LABEL:SHARE,LABEL:SHARE.")
    return found
