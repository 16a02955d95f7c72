"""A fitted model as a folder: weights as safetensors, all else as JSON, no pickle."""

from __future__ import annotations

import json
import platform
import sys
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import BaseModel, ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from amodal.errors import DataError
from amodal.files import os_errors_about, output_folder
from amodal.methods import method_named
from amodal.models import GenerativeModel
from amodal.table import BadCell, Schema, write_bad_cells

FORMAT = 3
WEIGHTS, DESCRIPTION, HISTORY, CARD = "model.safetensors", "model.json", "history.csv", "README.md"
BAD_CELLS = "bad_cells.csv"
_LIBRARIES = ("amodal", "torch", "lightning", "numpy", "pandas", "scikit-learn", "librosa")


class _Description(BaseModel):
    """What model.json holds."""

    format: int
    method: str
    model: dict[str, Any]
    table: dict[str, Any]
    seed: int
    rows: int
    fingerprint: str
    versions: dict[str, str]
    settings: dict[str, Any] = {}


@dataclass(frozen=True)
class FittedModel:
    """A trained model and all that is known of it.

    Attributes:
        method: its name.
        model: the network.
        options: what the network was made with.
        schema: the table's columns.
        history: one row an epoch.
        seed: of training.
        rows: how many it was trained on.
        fingerprint: of the data.
        bad_cells: those that could not be read in training and were taken as missing; not read back.
        settings: of the run, by name; empty where they are not known.
    """

    method: str
    model: GenerativeModel
    options: dict[str, Any]
    schema: Schema
    history: pd.DataFrame
    seed: int
    rows: int
    fingerprint: str
    bad_cells: tuple[BadCell, ...] = ()
    settings: dict[str, Any] = field(default_factory=dict)


def write_model(fitted: FittedModel, folder: Path, *, overwrite: bool = False) -> None:
    """Write a model; the folder is there whole or not at all.

    Raises:
        UsageError: see `amodal.files.outputs.check_output_folder`.
    """
    description = _Description(
        format=FORMAT,
        method=fitted.method,
        model=fitted.options,
        table=fitted.schema.to_dict(),
        seed=fitted.seed,
        rows=fitted.rows,
        fingerprint=fitted.fingerprint,
        versions={"python": platform.python_version()} | {name: version(name) for name in _LIBRARIES},
        settings=fitted.settings,
    )
    with output_folder(folder, "model", overwrite=overwrite) as beside:
        weights = {name: tensor.contiguous() for name, tensor in fitted.model.state_dict().items()}
        with os_errors_about(folder, SafetensorError):
            save_file(weights, beside / WEIGHTS)
        (beside / DESCRIPTION).write_text(
            json.dumps(description.model_dump(), ensure_ascii=False, indent=1), encoding="utf-8"
        )
        fitted.history.to_csv(beside / HISTORY, index=False)
        (beside / CARD).write_text(_card(fitted, description), encoding="utf-8")
        if fitted.bad_cells:
            write_bad_cells(beside / BAD_CELLS, fitted.bad_cells)


def holds_model(folder: Path) -> bool:
    """Whether a model was written to a folder, be it damaged."""
    return (folder / DESCRIPTION).is_file()


def read_model(folder: Path) -> FittedModel:
    """Read a model that `write_model` wrote, on any machine and from any place.

    Raises:
        DataError: there is none, it is damaged, or a newer version wrote it.
    """
    description = _read_description(folder)
    schema = Schema.from_dict(description.table)
    model = method_named(description.method).model(schema.used, **description.model)
    try:
        weights = load_file(folder / WEIGHTS)
        model.load_state_dict(weights)
    except (SafetensorError, FileNotFoundError, RuntimeError) as problem:
        raise DataError(
            f"{folder / WEIGHTS} is damaged or belongs to another model; copy the folder anew or fit again. ({problem})"
        ) from problem
    history = folder / HISTORY
    return FittedModel(
        method=description.method,
        model=model.eval(),
        options=description.model,
        schema=schema,
        history=pd.read_csv(history) if history.is_file() else pd.DataFrame(),
        seed=description.seed,
        rows=description.rows,
        fingerprint=description.fingerprint,
        settings=description.settings,
    )


def _read_description(folder: Path) -> _Description:
    path = folder / DESCRIPTION
    if not path.is_file():
        raise DataError(f"{folder} is no model: it has no {DESCRIPTION}.")
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        written = raw["format"]
        if written == FORMAT:
            return _Description.model_validate(raw)
    except (UnicodeDecodeError, json.JSONDecodeError, ValidationError, KeyError, TypeError) as problem:
        raise DataError(f"{path} is damaged: {problem}") from problem
    raise DataError(
        f"{folder} has format {written!r}, and this version of amodal reads format {FORMAT}: "
        "update amodal, or fit the model again."
    )


def _card(fitted: FittedModel, description: _Description) -> str:
    columns = "\n".join(
        f"| {column.name.replace('|', '/')} | {column.modality.type if column.modality else 'ignored'} "
        f"| {column.modality.summary if column.modality else column.reason} |"
        for column in fitted.schema.columns
    )
    versions = ", ".join(f"{name} {number}" for name, number in description.versions.items())
    epochs = len(fitted.history)
    method = method_named(fitted.method)
    return f"""# A generative model of a table

Made by amodal with method `{method.name}` ({method.summary}; {method.source}), seed {fitted.seed}, on
{fitted.rows:,} rows, in {epochs} epochs. It completes rows of these columns: given any cells, it draws the others.

| column | type | what was learned |
| --- | --- | --- |
{columns}

    amodal sample {{this folder}} -n 16 -o generated
    amodal complete {{this folder}} table.csv -o completed

Training rows are not in this folder. The vocabulary of texts, the labels of categories and the quantiles
of numbers are, in `{DESCRIPTION}`. Draws can repeat what is wrong or one-sided in the data.

Versions: {versions}; {sys.platform}.
"""
