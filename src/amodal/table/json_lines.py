"""JSON Lines files: one JSON object a line."""

from __future__ import annotations

import json

import pandas as pd

from amodal.errors import DataError, examples
from amodal.table.columns import column_of

__all__ = ["read_json_lines"]


def read_json_lines(text: str, source: str) -> pd.DataFrame:
    """Read one row from each line that is not blank.

    Args:
        text: the file's content.
        source: the table's name in messages.

    Returns:
        The columns in order of first occurrence; a key that a line lacks is a missing cell. Integers stay integers
        in columns with missing cells (pandas' `Int64`); strings never become dates.

    Raises:
        DataError: lines that are not one JSON object each, with their numbers.
    """
    records: list[dict[str, object]] = []
    broken: list[str] = []
    # Of all that ends a line of text, only this one may not stand in a JSON string.
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            records.append(_record(line))
        except ValueError as problem:
            broken.append(f"line {number} ({problem})")
    if broken:
        raise DataError(
            f"{source}: {len(broken)} lines are not a JSON object each: {examples(broken)}. "
            'Write one object a line, such as {"photo": "1.png", "digit": 7}.'
        )
    names = dict.fromkeys(name for record in records for name in record)
    columns = {name: column_of([record.get(name) for record in records]) for name in names}
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
