"""Provenance of a report: the model, the tables and the versions it was computed with."""

from __future__ import annotations

import platform
import time
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

from amodal.report.context import ReportContext
from amodal.report.section import Result
from amodal.table import Table, fingerprint

_LIBRARIES = ("amodal", "torch", "numpy", "pandas", "scikit-learn", "scipy", "librosa")


class TableInfo(Result):
    """A table.

    Attributes:
        source: the file's name, or what a DataFrame is called.
        rows: their number.
        fingerprint: of its cells.
    """

    source: str
    rows: int
    fingerprint: str


class Provenance(Result):
    """Model, tables and versions.

    Attributes:
        versions: library -> version, with python and amodal.
        method: the model's.
        options: of the method.
        parameters: number of weights.
        fit_seed: of training.
        fit_rows: number of rows it was trained on.
        fit_fingerprint: of these.
        seed: of the evaluation.
        heldout: the held-out table.
        training: the training table; None where it was not given.
        evaluated_rows: number of held-out rows that the model is evaluated on.
        reference: the rows that features, matchers and classifiers were fitted to.
        reference_rows: their number.
        generated_rows: number of rows drawn with nothing given.
        seconds: duration of the evaluation.
    """

    versions: dict[str, str]
    method: str
    options: dict[str, float | int | str | bool | None]
    parameters: int
    fit_seed: int
    fit_rows: int
    fit_fingerprint: str
    seed: int
    heldout: TableInfo
    training: TableInfo | None
    evaluated_rows: int
    reference: Literal["training rows", "the other half of the held-out rows"]
    reference_rows: int
    generated_rows: int
    seconds: float


class ColumnInfo(Result):
    """A column as the model knows it.

    Attributes:
        name: its name.
        type: such as "image"; None for an ignored column.
        representation: of its cells; None for an ignored column.
        summary: of its fitted state; empty for an ignored column.
        reason: of its type, or of ignoring it.
        missing: share of its cells that training rows lacked, 0 to 1.
        heldout_missing: the same of held-out rows; None where it was not read.
    """

    name: str
    type: str | None
    representation: str | None
    summary: str
    reason: str
    missing: float
    heldout_missing: float | None


def provenance(context: ReportContext) -> Provenance:
    """The provenance of a report, at its end."""
    fitted, modalities = context.fitted, context.fitted.schema.used
    return Provenance(
        versions={"python": platform.python_version()} | {name: version(name) for name in _LIBRARIES},
        method=fitted.method,
        options=fitted.options,
        parameters=sum(weights.numel() for weights in fitted.model.parameters()),
        fit_seed=fitted.seed,
        fit_rows=fitted.rows,
        fit_fingerprint=fitted.fingerprint,
        seed=context.seed,
        heldout=_table(context.heldout, modalities),
        training=None if context.training is None else _table(context.training, modalities),
        evaluated_rows=len(context.evaluated),
        reference="the other half of the held-out rows" if context.training is None else "training rows",
        reference_rows=len(context.reference),
        generated_rows=len(context.generated),
        seconds=round(time.monotonic() - context.started, 1),
    )


def _table(table: Table, modalities: Mapping[str, Any]) -> TableInfo:
    used = {name: modality for name, modality in modalities.items() if name in table.columns}
    return TableInfo(source=Path(table.source).name, rows=len(table), fingerprint=fingerprint(table, used))


def column_infos(context: ReportContext) -> list[ColumnInfo]:
    """All columns of the table that the model was fitted to."""
    return [
        ColumnInfo(
            name=column.name,
            type=column.modality.type if column.modality else None,
            representation=column.modality.representation if column.modality else None,
            summary=column.modality.summary if column.modality else "",
            reason=column.reason,
            missing=column.missing,
            heldout_missing=1 - float(context.rows.heldout.mask(column.name).float().mean())
            if column.modality and column.name in context.heldout.columns
            else None,
        )
        for column in context.fitted.schema.columns
    ]
