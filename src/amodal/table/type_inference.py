"""Schema inference: modalities are tried in order, and the reasons of rejections are kept."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from amodal.errors import DataError, RejectColumn, UsageError, shorten
from amodal.media import cell_text
from amodal.modalities import MODALITIES, Modality, find_modality
from amodal.modalities.file_cells import unreadable_files
from amodal.table.fillers import Constant, Filler, fit_identifiers
from amodal.table.identifiers import looks_like_identifiers
from amodal.table.reading import Table
from amodal.table.schema import Column, Schema

__all__ = ["IGNORE", "check_columns", "infer_schema", "stratified_sample"]

IGNORE = "ignore"
EXAMPLE_LENGTH = 60  # characters

Modalities = Sequence[type[Modality]]


def infer_schema(
    table: Table,
    modalities: Modalities = MODALITIES,
    types: Mapping[str, str] | None = None,
    options: Mapping[str, Mapping[str, Any]] | None = None,
) -> Schema:
    """Infer each column's type, and fit its modality to all the column's present cells.

    A column without a given type is tried as each type of file (pictures, sounds), and ignored where it has a single
    value. Then it is tried as each type that is known by its form (dates), ignored where it has identifiers, and tried
    as each other type. Up to `Modality.detection_cells` cells decide.

    Args:
        table: the table.
        modalities: column types in the order they are tried. The first of a type is its default; others are taken
            only where `types` names them.
        types: column -> "image", "image:pixels" or "ignore", for columns of a given type.
        options: column -> keywords of its `fit`, which are fields of its modality.

    Raises:
        UsageError: a column that the table lacks, an unknown type, an option that the type lacks.
        DataError: a column cannot be of the type given, or no column can be used.
    """
    types, options = types or {}, options or {}
    check_columns([*types, *options], table)
    given = {column: _given_type(column, name, modalities) for column, name in types.items()}
    columns = tuple(
        _column(table, name, modalities, given, dict(options.get(name, {}))) for name in table.columns
    )
    schema = Schema(columns, table.is_text)
    if not schema.used:
        reasons = "".join(f"\n  {name}: {reason}" for name, reason in schema.ignored.items())
        raise DataError(
            f"{table.source} has no column that can be used:{reasons}\n"
            'Give a column\'s type, as in types={"COLUMN": "TYPE"}.'
        )
    return schema


def check_columns(names: Iterable[str], table: Table) -> None:
    """Check that names are columns of the table.

    Raises:
        UsageError: one is not; the message lists near ones.
    """
    for name in names:
        if name not in table.columns:
            near = difflib.get_close_matches(name, table.columns) or table.columns
            raise UsageError(f"{table.source} has no column {name!r}. Choose from {', '.join(near)}.")


def stratified_sample(cells: pd.Series, count: int = 200) -> pd.Series:
    """Up to `count` cells, one from each of as many equal intervals; deterministic.

    Example:
        >>> len(stratified_sample(pd.Series(range(1000)), 10))
        10
    """
    if len(cells) <= count:
        return cells
    # Random within each interval, since a fixed step would sample a single value of a periodic column.
    edges = np.linspace(0, len(cells), count + 1).astype(int)
    return cells.iloc[np.random.default_rng(0).integers(edges[:-1], edges[1:])]


def _given_type(column: str, name: str, modalities: Modalities) -> type[Modality] | None:
    """The modality of a name that the user gave, None for "ignore"."""
    modality = find_modality(name, modalities)
    if modality is None and name != IGNORE:
        types = dict.fromkeys(each.type for each in modalities)
        choices = [*types, *(each.full_name() for each in modalities), IGNORE]
        raise UsageError(f"Unknown type {name!r} for column {column!r}. Choose from {', '.join(choices)}.")
    return modality


def _column(
    table: Table,
    name: str,
    modalities: Modalities,
    given: Mapping[str, type[Modality] | None],
    options: Mapping[str, Any],
) -> Column:
    cells = table.frame[name].dropna()
    missing = 1 - len(cells) / len(table)
    example = "" if cells.empty else shorten(cell_text(cells.iloc[0]), EXAMPLE_LENGTH)
    if name in given:
        modality = given[name]
        if modality is None:
            return Column(name, None, "you asked to ignore it", missing, example)
        fitted, present = _fit_given(modality, name, cells, table, options)
        missing = 1 - present / len(table)
        return Column(name, fitted, f"you gave the type; {fitted.summary}", missing, example)
    if cells.empty:
        return Column(name, None, "every cell is missing", missing)

    tried: dict[str, str] = {}
    defaults = [each for each in modalities if each is find_modality(each.type, modalities)]

    def fit_first(modalities: Modalities) -> Column | None:
        for modality in modalities:
            try:
                reason = modality.detect(stratified_sample(cells, modality.detection_cells), table.root)
                fitted, present = _fit(modality, name, cells, table.root, options)
            except RejectColumn as rejection:
                tried[modality.type] = str(rejection)
            except DataError as problem:
                raise DataError(f"{table.source}: column {name!r} {problem}") from None
            else:
                missing = 1 - present / len(table)
                return Column(name, fitted, f"{reason}; {fitted.summary}", missing, example, tried)
        return None

    values = [each for each in defaults if each.suffix is None]
    found = fit_first([each for each in defaults if each.suffix is not None])
    if found:
        return found
    try:
        damaged = unreadable_files(stratified_sample(cells), tried)
    except DataError as problem:
        raise DataError(f"{table.source}: column {name!r} {problem}") from None
    if damaged:
        return Column(name, None, damaged, missing, example, tried)
    if _is_constant(cells):
        reason, filler = "every present cell is the same", Constant.fit(cells)
        return Column(name, None, reason, missing, example, tried, filler)
    # Types that are tried before a specific one, such as a user's own, come before identifiers too.
    last = max((place for place, each in enumerate(values, 1) if each.is_specific), default=0)
    found = fit_first(values[:last])
    if found:
        return found
    uninformative = _uninformative(cells)
    if uninformative:
        reason, identifiers = uninformative
        return Column(name, None, reason, missing, example, tried, identifiers)
    return fit_first(values[last:]) or Column(
        name, None, f"of no known type ({_join(tried)})", missing, example, tried
    )


def _fit_given(
    modality: type[Modality], name: str, cells: pd.Series, table: Table, options: Mapping[str, Any]
) -> tuple[Modality, int]:
    if cells.empty:
        raise DataError(f"{table.source}: column {name!r} has no cell to fit {modality.type} to.")
    try:
        return _fit(modality, name, cells, table.root, options)
    except RejectColumn as reason:
        raise DataError(f"{table.source}: column {name!r} cannot be {modality.type}: {reason}") from None


def _fit(
    modality: type[Modality], name: str, cells: pd.Series, root: Path | None, options: Mapping[str, Any]
) -> tuple[Modality, int]:
    """The fitted modality, and how many of the present cells do not stand for missing ones."""
    known = [field.name for field in fields(modality)]
    for option in options:
        if option not in known:
            raise UsageError(
                f"Unknown option {option!r} for column {name!r} of type {modality.type}. "
                f"Choose from {', '.join(known)}."
            )
    present = cells[~modality.is_missing(cells)]
    if present.empty:
        raise RejectColumn("every cell stands for a missing one")
    return modality.fit(present, root, **options), len(present)


def _is_constant(cells: pd.Series) -> bool:
    return bool(pd.api.types.is_hashable(cells.iloc[0])) and bool((cells == cells.iloc[0]).all())


def _uninformative(cells: pd.Series) -> tuple[str, Filler | None] | None:
    """The reason to leave a column out, and the filler of its cells; None for a column to model."""
    if pd.api.types.is_object_dtype(cells.dtype):
        nested = {type(cell).__name__ for cell in cells if not pd.api.types.is_hashable(cell)}
        if nested:
            return f"cells hold several values each ({', '.join(sorted(nested))})", None
    if looks_like_identifiers(cells):
        return f"identifiers: {cells.nunique()} different values of one pattern", fit_identifiers(cells)
    return None


def _join(tried: Mapping[str, str]) -> str:
    return "; ".join(f"not {type_}: {reason}" for type_, reason in tried.items())
