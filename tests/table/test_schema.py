import json

import pytest

from amodal.errors import DataError
from amodal.table import Schema, describe
from tests.table.fakes import MODALITIES, Label, Number, schema_of


def test_a_schema_goes_through_json_without_any_cell() -> None:
    schema = schema_of({"note": ["secret.txt", "b.txt"], "empty": [None, None]})
    text = json.dumps(schema.to_dict())
    assert "secret" not in text
    restored = Schema.from_dict(json.loads(text), MODALITIES)
    assert restored.used == schema.used
    assert restored.ignored == schema.ignored
    assert [column.missing for column in restored.columns] == [0.0, 1.0]
    with pytest.raises(ValueError, match="format 99"):
        Schema.from_dict({"format": 99, "columns": []}, MODALITIES)


def test_a_schema_with_a_type_that_is_not_known_is_refused() -> None:
    schema = schema_of({"note": ["a.txt", "b.txt"]})
    with pytest.raises(
        DataError, match=r"'note' is of type note:bytes, .* Known are number:standard, category"
    ):
        Schema.from_dict(schema.to_dict(), [Number, Label])


def test_describe_is_json_and_shortens_examples() -> None:
    long = "词" * 100
    rows = describe(schema_of({"sort": [long, "y"], "empty": [None, None]}))
    assert json.loads(json.dumps(rows)) == rows
    assert rows[0] == {
        "column": "sort",
        "type": "category",
        "representation": "one_hot",
        "reason": "2 labels; 2 labels",
        "missing": 0.0,
        "example": "词" * 59 + "…",
        "tried": {"note": f"{long!r} is no .txt file", "number": "not numbers"},
    }
    assert (rows[1]["type"], rows[1]["representation"], rows[1]["example"]) == ("ignored", None, "")
