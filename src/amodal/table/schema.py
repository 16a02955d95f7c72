"""The schema of a table: the type of each column, and the reason."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from amodal.errors import DataError
from amodal.modalities import MODALITIES, Modality, find_modality
from amodal.table.fillers import Filler, column_rng, filler_from_dict

__all__ = ["Column", "Schema", "describe"]

FORMAT = 2


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Attributes:
        name: its name.
        modality: its fitted modality; None when the column is ignored.
        reason: why it is of this type, or why it is ignored.
        missing: share of missing cells, 0 to 1.
        example: its first present cell, shortened; empty where there is none.
        tried: type -> reason why the column is not of it, for the types tried before.
        filler: makes the cells of a column without a modality that rows have all the same: a constant or identifiers.
        label: the name as the table's frame had it, where that was no text: a number, a tuple.
    """

    name: str
    modality: Modality | None
    reason: str
    missing: float
    example: str = ""
    tried: Mapping[str, str] = field(default_factory=dict)
    filler: Filler | None = None
    label: Hashable | None = None

    def to_dict(self) -> dict[str, Any]:
        """The column as JSON, without `example` and `tried`: no cell of a table goes into a model."""
        return {
            "name": self.name,
            "type": self.modality and self.modality.type,
            "representation": self.modality and self.modality.representation,
            "modality": self.modality and self.modality.to_dict(),
            "reason": self.reason,
            "missing": self.missing,
            "filler": self.filler and self.filler.to_dict(),
        } | (
            {"label": _jsonable(self.label)}
            if isinstance(self.label, int | float | tuple | np.generic)
            else {}
        )


def _jsonable(label: Any) -> Any:
    if isinstance(label, np.generic):
        label = label.item()
    return [_jsonable(part) for part in label] if isinstance(label, tuple) else label


def _label(entry: Any) -> Hashable | None:
    return tuple(_label(part) for part in entry) if isinstance(entry, list) else entry


@dataclass(frozen=True)
class Schema:
    """The columns of a table, in its order.

    Attributes:
        columns: the columns.
        is_text: whether the table's cells had no types, as those of CSV.
    """

    columns: tuple[Column, ...]
    is_text: bool = False

    @property
    def used(self) -> dict[str, Modality]:
        """Column name -> modality, of the columns that are used."""
        return {column.name: column.modality for column in self.columns if column.modality is not None}

    @property
    def ignored(self) -> dict[str, str]:
        """Column name -> reason, of the columns that are ignored."""
        return {column.name: column.reason for column in self.columns if column.modality is None}

    @property
    def fillers(self) -> dict[str, Filler]:
        """Column name -> filler, of the columns that have one."""
        return {column.name: column.filler for column in self.columns if column.filler is not None}

    def fill(self, frame: pd.DataFrame, *, seed: int, add: bool) -> pd.DataFrame:
        """A table with the missing cells of constants and identifiers filled.

        Args:
            frame: the rows.
            seed: of random identifiers.
            add: add the columns that the table lacks, and put all in the schema's order.
        """
        new: dict[str, pd.Series[Any]] = {}
        for name, filler in self.fillers.items():
            column = frame[name] if name in frame else pd.Series(None, index=frame.index, dtype=object)
            missing = column.isna() | column.eq("").fillna(False).astype(bool)
            if not missing.any() or not (add or name in frame):
                continue
            new_cells = filler.cells(int(missing.sum()), column[~missing], column_rng(seed, name))
            cells = column.astype(object)
            cells[missing] = pd.Series(new_cells, index=cells.index[missing], dtype=object)
            new[name] = cells.infer_objects() if name not in frame else cells
        filled = frame.assign(**new)
        order = [column.name for column in self.columns if column.name in filled]
        return filled[[*order, *(name for name in filled if name not in order)]] if add else filled

    def parse_texts(self, frame: pd.DataFrame) -> pd.DataFrame:
        """A table of texts with numbers and truth values where columns have them, as far as texts keep these."""
        new: dict[str, pd.Series[Any]] = {}
        for name, modality in self.used.items():
            if name in frame and modality.suffix is None:
                cells = modality.parse_text(frame[name].astype(object).tolist())
                new[name] = pd.Series(cells, index=frame.index, dtype=object).infer_objects()
        return frame.assign(**new)

    @property
    def labels(self) -> dict[str, Hashable]:
        """Column name -> the name as the table's frame had it, a number or tuple among others."""
        return {column.name: column.name if column.label is None else column.label for column in self.columns}

    def with_labels(self, labels: Mapping[str, Hashable]) -> Schema:
        """The schema with labels of columns by name."""
        columns = tuple(replace(column, label=labels.get(column.name)) for column in self.columns)
        return replace(self, columns=columns)

    def to_dict(self) -> dict[str, Any]:
        """The schema as JSON."""
        columns = [column.to_dict() for column in self.columns]
        return {"format": FORMAT, "is_text": self.is_text, "columns": columns}

    @classmethod
    def from_dict(
        cls, record: Mapping[str, Any], modalities: Sequence[type[Modality]] = MODALITIES
    ) -> Schema:
        """Restore the schema that `to_dict` gave.

        Raises:
            DataError: a column's type is not one of `modalities`.
            ValueError: the record is of another format, or a modality's state is damaged.
        """
        if record.get("format") != FORMAT:
            raise ValueError(f"schema of format {record.get('format')!r}, not {FORMAT}")
        return cls(
            tuple(
                Column(
                    name=entry["name"],
                    modality=entry["type"] and _restore(entry, modalities),
                    reason=entry["reason"],
                    missing=entry["missing"],
                    filler=filler_from_dict(entry["filler"]) if entry["filler"] else None,
                    label=_label(entry.get("label", entry["name"])),
                )
                for entry in record["columns"]
            ),
            record["is_text"],
        )


def _restore(entry: Mapping[str, Any], modalities: Sequence[type[Modality]]) -> Modality:
    name = f"{entry['type']}:{entry['representation']}"
    modality = find_modality(name, modalities)
    if modality is None:
        raise DataError(
            f"Column {entry['name']!r} is of type {name}, which is not known here. "
            f"Known are {', '.join(known.full_name() for known in modalities)}."
        )
    return modality.from_dict(entry["modality"])


def describe(schema: Schema) -> list[dict[str, Any]]:
    """One JSON-able row a column: column, type, representation, reason, missing, example, tried.

    Type is "ignored" and representation None for a column that is not used; missing is a share, 0 to 1.

    Example:
        >>> describe(Schema((Column("id", None, "identifiers", 0.0, "1"),)))[0]["type"]
        'ignored'
    """
    return [
        {
            "column": column.name,
            "type": column.modality.type if column.modality else "ignored",
            "representation": column.modality.representation if column.modality else None,
            "reason": column.reason,
            "missing": column.missing,
            "example": column.example,
            "tried": dict(column.tried),
        }
        for column in schema.columns
    ]
