"""Finding each column's type: the modalities are tried in order, and every reason is kept."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from amodal.errors import DataError, RejectColumn, UsageError
from amodal.modalities import MODALITIES, Modality, find_modality
from amodal.table.identifiers import looks_like_identifiers
from amodal.table.reading import Table
from amodal.table.schema import Column, Schema

__all__ = ["IGNORE", "check_columns", "infer_schema", "stratified_sample"]

IGNORE = "ignore"
LOOKED_AT = 200  # cells that decide a column's type
EXAMPLE_LENGTH = 60  # characters

Candidates = Sequence[type[Modality]]


def infer_schema(
    table: Table,
    modalities: Candidates = MODALITIES,
    types: Mapping[str, str] | None = None,
    options: Mapping[str, Mapping[str, Any]] | None = None,
) -> Schema:
    """Find each column's type, and fit its modality to all the column's present cells.

    A column without a given type is tried as each type of file (pictures, sounds), then ignored when it
    holds one value only or identifiers, then tried as each other type. Up to 200 cells decide.

    Args:
        table: the table.
        modalities: column types in the order they are tried. The first of a type is its default; others are taken
            only where `types` names them.
        types: column -> "image", "image:pixels" or "ignore", for the columns whose type the user gives.
        options: column -> what is handed to that column's `fit` as keywords.

    Raises:
        UsageError: a column that the table lacks, an unknown type, an option that the type lacks.
        DataError: a column cannot be of the type given, or no column can be used.
    """
    types, options = types or {}, options or {}
    check_columns([*types, *options], table)
    given = {name: _candidate(name, wanted, modalities) for name, wanted in types.items()}
    columns = tuple(
        _column(table, name, modalities, given, dict(options.get(name, {}))) for name in table.columns
    )
    schema = Schema(columns)
    if not schema.used:
        reasons = "".join(f"\n  {name}: {reason}" for name, reason in schema.ignored.items())
        raise DataError(
            f"{table.source} has no column that can be used:{reasons}\n"
            "Give a column's type with --type COL=TYPE."
        )
    return schema


def check_columns(names: Iterable[str], table: Table) -> None:
    """Refuse names that are not the table's columns.

    Raises:
        UsageError: says which one, and what is near.
    """
    for name in names:
        if name not in table.columns:
            near = difflib.get_close_matches(name, table.columns) or table.columns
            raise UsageError(f"{table.source} has no column {name!r}. Choose from {', '.join(near)}.")


def stratified_sample(cells: pd.Series, count: int = LOOKED_AT) -> pd.Series:
    """Take up to `count` cells, one from each of as many equal stretches; the same ones each time.

    Example:
        >>> len(stratified_sample(pd.Series(range(1000)), 10))
        10
    """
    if len(cells) <= count:
        return cells
    # A place drawn within each stretch: a fixed step would meet only one value of a table that repeats.
    edges = np.linspace(0, len(cells), count + 1).astype(int)
    return cells.iloc[np.random.default_rng(0).integers(edges[:-1], edges[1:])]


def _candidate(name: str, wanted: str, candidates: Candidates) -> type[Modality] | None:
    if wanted == IGNORE:
        return None
    found = find_modality(wanted, candidates)
    if found is None:
        types = dict.fromkeys(candidate.type for candidate in candidates)
        choices = [*types, *(candidate.full_name() for candidate in candidates), IGNORE]
        raise UsageError(f"Unknown type {wanted!r} for column {name!r}. Choose from {', '.join(choices)}.")
    return found


def _column(
    table: Table,
    name: str,
    candidates: Candidates,
    given: Mapping[str, type[Modality] | None],
    options: dict[str, Any],
) -> Column:
    cells = table.frame[name].dropna()
    missing = 1 - len(cells) / len(table)
    example = _example(cells)
    if name in given:
        wanted = given[name]
        if wanted is None:
            return Column(name, None, "you asked to ignore it", missing, example)
        modality = _fit_given(wanted, name, cells, table, options)
        return Column(name, modality, f"you gave the type; {modality.summary}", missing, example)
    if cells.empty:
        return Column(name, None, "every cell is missing", missing)

    tried: dict[str, str] = {}
    sample = stratified_sample(cells)
    defaults = _defaults(candidates)

    def first_that_accepts(candidates: Candidates) -> Column | None:
        for candidate in candidates:
            try:
                why = candidate.detect(sample, table.root)
                modality = _fit(candidate, name, cells, table.root, options)
            except RejectColumn as reason:
                tried[candidate.type] = str(reason)
            except DataError as problem:
                raise DataError(f"{table.source}: column {name!r} {problem}") from None
            else:
                return Column(name, modality, f"{why}; {modality.summary}", missing, example, tried)
        return None

    of_files = first_that_accepts([candidate for candidate in defaults if candidate.suffix is not None])
    if of_files:
        return of_files
    nothing = _nothing_to_learn(cells, sample)
    if nothing:
        return Column(name, None, nothing, missing, example, tried)
    in_table = first_that_accepts([candidate for candidate in defaults if candidate.suffix is None])
    return in_table or Column(
        name, None, f"of no type known here ({_joined(tried)})", missing, example, tried
    )


def _defaults(candidates: Candidates) -> list[type[Modality]]:
    first: dict[str, type[Modality]] = {}
    for candidate in candidates:
        first.setdefault(candidate.type, candidate)
    return list(first.values())


def _fit_given(
    candidate: type[Modality], name: str, cells: pd.Series, table: Table, options: dict[str, Any]
) -> Modality:
    if cells.empty:
        raise DataError(f"{table.source}: column {name!r} has no cell to fit {candidate.type} to.")
    try:
        return _fit(candidate, name, cells, table.root, options)
    except RejectColumn as reason:
        raise DataError(f"{table.source}: column {name!r} cannot be {candidate.type}: {reason}") from None


def _fit(
    candidate: type[Modality], name: str, cells: pd.Series, root: Path | None, options: dict[str, Any]
) -> Modality:
    known = inspect.signature(candidate.fit).parameters
    if not any(parameter.kind is parameter.VAR_KEYWORD for parameter in known.values()):
        choices = [option for option in known if option not in ("cells", "root")]
        for option in options:
            if option not in choices:
                raise UsageError(
                    f"Unknown option {option!r} for column {name!r} of type {candidate.type}. "
                    f"Choose from {', '.join(choices) or 'none'}."
                )
    return candidate.fit(cells, root, **options)


def _nothing_to_learn(cells: pd.Series, sample: pd.Series) -> str:
    if pd.api.types.is_object_dtype(cells.dtype):
        nested = {type(cell).__name__ for cell in cells if not pd.api.types.is_hashable(cell)}
        if nested:
            return f"cells hold several values each ({', '.join(sorted(nested))})"
    if cells.nunique() == 1:
        return "every present cell is the same"
    if looks_like_identifiers(cells, sample):
        return f"identifiers: {len(cells)} different values of one pattern"
    return ""


def _example(cells: pd.Series) -> str:
    text = "" if cells.empty else str(cells.iloc[0])
    return text if len(text) <= EXAMPLE_LENGTH else text[: EXAMPLE_LENGTH - 1] + "…"


def _joined(tried: Mapping[str, str]) -> str:
    return "; ".join(f"not {kind}: {reason}" for kind, reason in tried.items())
