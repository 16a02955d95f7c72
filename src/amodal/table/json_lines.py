"""JSON Lines files: one JSON object a line."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd

from amodal.errors import DataError, examples
from amodal.table.utf8 import open_utf8

__all__ = ["read_json_lines"]

INT64 = range(-(2**63), 2**63)


def read_json_lines(path: Path) -> pd.DataFrame:
    """Read one row from each line that is not blank.

    Args:
        path: the file.

    Returns:
        The columns in order of first occurrence; a key that a line lacks is a missing cell. Integers stay integers
        in columns with missing cells (pandas' `Int64`); strings never become dates.

    Raises:
        DataError: not UTF-8, or lines that are not one JSON object each, with their numbers.
    """
    records: list[dict[str, object]] = []
    broken: list[str] = []
    with open_utf8(path) as lines:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                records.append(_record(line))
            except ValueError as problem:
                broken.append(f"line {number} ({problem})")
    if broken:
        raise DataError(
            f"{path}: {len(broken)} lines are not a JSON object each: {examples(broken)}. "
            'Write one object a line, such as {"photo": "1.png", "digit": 7}.'
        )
    names = dict.fromkeys(name for record in records for name in record)
    columns = {name: _column([record.get(name) for record in records]) for name in names}
    return pd.DataFrame(columns, index=pd.RangeIndex(len(records)))


def _record(line: str) -> dict[str, object]:
    record = json.loads(line, object_pairs_hook=_without_repeats)
    if not isinstance(record, dict):
        raise ValueError("not an object")
    if "\\u" in line:
        # Half a surrogate pair is valid JSON, but cannot be encoded as UTF-8.
        json.dumps(record, ensure_ascii=False).encode("utf-8")
    return record


def _without_repeats(pairs: list[tuple[str, object]]) -> dict[str, object]:
    record = dict(pairs)
    if len(record) < len(pairs):
        raise ValueError("a key is repeated")
    return record


def _column(cells: list[object]) -> pd.Series:
    integers = all(cell is None or (type(cell) is int and cell in INT64) for cell in cells)
    if integers and None in cells and any(cell is not None for cell in cells):
        return pd.Series(cells, dtype="Int64")
    return pd.Series(cells, dtype=object).infer_objects()
