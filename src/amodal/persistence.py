"""A fitted model as a folder: weights as safetensors, all else as JSON, no pickle."""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import BaseModel, ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from amodal.errors import DataError, EarlierFormat, UsageError
from amodal.files import os_errors_about, output_folder
from amodal.methods import method_named
from amodal.modalities import MODALITIES, Modality
from amodal.models import GenerativeModel
from amodal.settings import Values, configure, join, resolve, settings_of
from amodal.table import BadCell, Schema, write_bad_cells

FORMAT = 6
WEIGHTS, DESCRIPTION, HISTORY, CARD = "model.safetensors", "model.json", "history.csv", "README.md"
BAD_CELLS = "bad_cells.csv"
_FORMAT_4_DEFAULTS = {"num_text_masks": 3, "flow_weight": 0.125, "contrastive_weight": 0.0}
"""Settings' defaults in format 4 that are others today."""
_LIBRARIES = ("amodal", "torch", "lightning", "numpy", "pandas", "scikit-learn", "librosa")


class _Description(BaseModel):
    """The content of model.json; see `FittedModel`."""

    format: int
    arguments: dict[str, Any]
    settings: dict[str, dict[str, Any]]
    table: dict[str, Any]
    rows: int
    fingerprint: str
    patterns: dict[str, int] = {}
    versions: dict[str, str]


@dataclass(frozen=True)
class FittedModel:
    """A trained model, and how it was made.

    Attributes:
        model: the network.
        arguments: of `TableModel`, without the settings and the device.
        settings: all settings of the method: owner -> field -> value.
        schema: the table's columns.
        history: one row an epoch.
        rows: how many the model was fitted to.
        fingerprint: of the data.
        patterns: of present cells among the rows, with their frequencies; see `amodal.answers.holes`.
        bad_cells: those that could not be read in training and were taken as missing; not read back.
    """

    model: GenerativeModel
    arguments: Mapping[str, Any]
    settings: Values
    schema: Schema
    history: pd.DataFrame
    rows: int
    fingerprint: str
    patterns: Mapping[str, int] = field(default_factory=dict)
    bad_cells: tuple[BadCell, ...] = ()

    @property
    def method(self) -> str:
        """The method's name."""
        return str(self.arguments["method"])

    @property
    def seed(self) -> int:
        """The seed of training."""
        return int(self.arguments["random_state"])

    @property
    def options(self) -> dict[str, Any]:
        """The arguments of the model's constructor."""
        return self.settings["model"]


def write_model(fitted: FittedModel, folder: Path, *, overwrite: bool = False) -> None:
    """Write a model; the folder appears complete or not at all.

    Raises:
        UsageError: see `amodal.files.outputs.check_output_folder`.
    """
    description = _Description(
        format=FORMAT,
        arguments=dict(fitted.arguments),
        settings=fitted.settings,
        table=fitted.schema.to_dict(),
        rows=fitted.rows,
        fingerprint=fitted.fingerprint,
        patterns=dict(fitted.patterns),
        versions={"python": platform.python_version()} | {name: version(name) for name in _LIBRARIES},
    )
    with output_folder(folder, "model", overwrite=overwrite) as staging:
        weights = {name: tensor.contiguous() for name, tensor in fitted.model.state_dict().items()}
        with os_errors_about(folder, SafetensorError):
            save_file(weights, staging / WEIGHTS)
        (staging / DESCRIPTION).write_text(
            json.dumps(description.model_dump(), ensure_ascii=False, indent=1), encoding="utf-8"
        )
        fitted.history.to_csv(staging / HISTORY, index=False)
        (staging / CARD).write_text(_card(fitted, description), encoding="utf-8")
        if fitted.bad_cells:
            write_bad_cells(staging / BAD_CELLS, fitted.bad_cells)


def holds_model(folder: Path) -> bool:
    """True for the folder of a model, even a damaged one."""
    return (folder / DESCRIPTION).is_file()


def read_model(folder: Path, modalities: Sequence[type[Modality]] = MODALITIES) -> FittedModel:
    """Read a model that `write_model` wrote, on any machine.

    Raises:
        EarlierFormat: an earlier version wrote it.
        DataError: the folder holds no model, a damaged one, or one of a later version.
    """
    description = _read_description(folder)
    schema = Schema.from_dict(description.table, modalities)
    try:
        method = method_named(description.arguments["method"])
        settings = resolve(method, join(description.settings))
    except (KeyError, UsageError) as problem:
        raise DataError(f"{folder / DESCRIPTION} is damaged: {problem}") from problem
    model = configure(method, settings).model(schema.used)
    try:
        weights = load_file(folder / WEIGHTS)
        model.load_state_dict(weights)
    except (SafetensorError, FileNotFoundError, RuntimeError) as problem:
        raise DataError(
            f"{folder / WEIGHTS} is damaged or belongs to another model; copy the folder anew or fit again. ({problem})"
        ) from problem
    history = folder / HISTORY
    return FittedModel(
        model=model.eval(),
        arguments=description.arguments,
        settings=settings,
        schema=schema,
        history=pd.read_csv(history) if history.is_file() else pd.DataFrame(),
        rows=description.rows,
        fingerprint=description.fingerprint,
        patterns=description.patterns,
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
    if isinstance(written, int) and written < FORMAT:
        formats = f"{folder} has format {written}, and this version of amodal reads format {FORMAT}"
        raise EarlierFormat(formats, folder, _earlier_arguments(raw))
    raise DataError(
        f"{folder} has format {written!r}, and this version of amodal reads format {FORMAT}: update amodal."
    )


def _earlier_arguments(raw: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments in a model.json of format 3, 4 or 5 that differ from its defaults; none if it has no such form."""
    try:
        if raw["format"] == 3:
            found = {
                "method": raw["method"],
                "random_state": raw["seed"],
                **raw["model"],
                **raw.get("settings", {}),
            }
            settings = settings_of(method_named(found["method"]))
        else:
            settings = settings_of(method_named(raw["arguments"]["method"]))
            written = join(raw["settings"])
            named = {setting.full_name: name for name, setting in settings.items()}
            found = {**raw["arguments"], **{named.get(name, name): value for name, value in written.items()}}
            if raw["format"] == 4:
                found = {
                    name: each for name, each in found.items() if _FORMAT_4_DEFAULTS.get(name, ...) != each
                }
    except (KeyError, TypeError, AttributeError, UsageError):
        return {}
    defaults = {"method": None, "random_state": 0, "epochs": None, "time_limit": None}
    defaults |= {name: setting.default for name, setting in settings.items()}
    return {name: value for name, value in found.items() if name in defaults and value != defaults[name]}


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

| column | type | summary |
| --- | --- | --- |
{columns}

    amodal sample {{this folder}} -n 16 -o generated
    amodal complete {{this folder}} table.csv -o completed

Training rows are not in this folder. The vocabulary of texts, the labels of categories and the quantiles
of numbers are, in `{DESCRIPTION}`. Draws can repeat what is wrong or one-sided in the data.

Versions: {versions}; {sys.platform}.
"""
