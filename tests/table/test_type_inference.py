from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from amodal.errors import DataError, RejectColumn, UsageError
from amodal.table import infer_schema, read_table
from amodal.table.type_inference import stratified_sample
from tests.table.fakes import Label, Note, NoteLength, Number, schema_of

RNG = np.random.default_rng(0)


def test_each_type_is_found_and_says_why() -> None:
    schema = schema_of(
        {
            "note": ["a.txt", "b.txt", None, "b.txt"],
            "weight": ["1.5", "2", "", "7"],
            "sort": ["x", "y", "x", "y"],
        }
    )
    assert schema.used == {"note": Note(9), "weight": Number(7.0), "sort": Label(("x", "y"))}
    note, weight, sort = schema.columns
    assert note.reason == "names of .txt files; 4 bytes"
    assert note.missing == 0.25
    assert note.example == "a.txt"
    assert note.tried == {}
    assert weight.tried == {"note": "'1.5' is no .txt file"}
    assert sort.tried == {"note": "'x' is no .txt file", "number": "not numbers"}


def test_the_sample_decides_and_all_cells_are_fitted() -> None:
    # The largest of many numbers is not in the sample, and the modality knows it all the same.
    numbers = RNG.normal(size=5000).round(3).tolist()
    numbers[1234] = 99.5
    seen = stratified_sample(pd.Series(numbers), 200)
    assert len(seen) == 200
    assert 99.5 not in seen.tolist()
    assert schema_of({"a": numbers}).used == {"a": Number(99.5)}


def test_the_sample_is_spread_over_the_table_and_meets_all_of_what_repeats() -> None:
    cells = pd.Series(range(2000))
    sample = stratified_sample(cells, 200)
    assert sample.tolist() == stratified_sample(cells, 200).tolist()
    assert (np.diff(sample) > 0).all()
    assert {cell // 10 for cell in sample} == set(range(200))
    assert {cell % 10 for cell in sample} == set(range(10))


def test_types_given_by_the_user_come_first() -> None:
    cells: dict[str, list[object]] = {"n": ["1", "2", "1"], "p": ["a.txt"] * 3, "q": ["x", "y", "x"]}
    schema = schema_of(cells, types={"n": "category", "p": "note:length", "q": "ignore"})
    assert schema.used == {"n": Label(("1", "2")), "p": NoteLength(9)}
    assert schema.ignored == {"q": "you asked to ignore it"}
    assert schema.columns[0].reason == "you gave the type; 2 labels"


def test_options_reach_the_column_s_fit() -> None:
    schema = schema_of({"p": ["a.txt", "b.txt"]}, options={"p": {"longest": 3}})
    assert schema.used == {"p": Note(3)}
    with pytest.raises(UsageError, match=r"Unknown option 'sise' for column 'p' .* Choose from longest"):
        schema_of({"p": ["a.txt", "b.txt"]}, options={"p": {"sise": 3}})


def test_unknown_types_and_columns() -> None:
    with pytest.raises(
        UsageError, match=r"Unknown type 'notes' for column 'n'. Choose from note, .*note:length, .*ignore"
    ):
        schema_of({"n": [1, 2]}, types={"n": "notes"})
    with pytest.raises(UsageError, match=r"has no column 'speach'. Choose from speech"):
        schema_of({"speech": [1, 2], "photo": [1, 2]}, types={"speach": "number"})
    with pytest.raises(UsageError, match=r"has no column 'zzz'. Choose from speech, photo"):
        schema_of({"speech": [1, 2], "photo": [1, 2]}, options={"zzz": {}})


def test_a_given_type_that_rejects() -> None:
    with pytest.raises(DataError, match="'n' cannot be number: no cell is a number"):
        schema_of({"n": ["x", "y"]}, types={"n": "number"})
    with pytest.raises(DataError, match="'n' has no cell to fit number to"):
        schema_of({"n": [None, None], "m": [1, 2]}, types={"n": "number"})


def test_uninformative_columns_are_ignored() -> None:
    schema = schema_of(
        {
            "empty": [None] * 30,
            "constant": ["x"] * 30,
            "holed constant": ["x", None] * 15,
            "id": [f"user_{row:02}" for row in range(30)],
            "sort": ["x", "y"] * 15,
        }
    )
    assert list(schema.used) == ["sort"]
    assert schema.ignored == {
        "empty": "every cell is missing",
        "constant": "every present cell is the same",
        "holed constant": "every present cell is the same",
        "id": "identifiers: 30 different values of one pattern",
    }


def test_files_are_used_even_where_their_names_count_up() -> None:
    assert "p" in schema_of({"p": [f"note_{row:03}.txt" for row in range(50)]}).used


def test_a_column_nearly_all_missing_is_used() -> None:
    schema = schema_of({"a": [0.5 * row if row % 20 == 0 else None for row in range(200)]})
    assert schema.columns[0].missing == pytest.approx(0.95)
    assert "a" in schema.used


def test_a_table_without_a_usable_column_is_refused_with_every_reason() -> None:
    with pytest.raises(DataError, match=r"(?s)can be used:.*  a: every cell is missing.*  b: every present"):
        schema_of({"a": [None, None], "b": ["x", "x"]})


def test_a_column_that_no_type_accepts() -> None:
    table = read_table(pd.DataFrame({"a": ["x", "y"], "n": [1, 2]}))
    schema = infer_schema(table, [Note, Number])
    assert schema.ignored == {
        "a": "of no known type (not note: 'x' is no .txt file; not number: not numbers)"
    }


def test_a_fit_that_rejects_after_accepting_leaves_the_column_to_the_next() -> None:
    class Picky(Number):
        @classmethod
        def fit(cls, cells: pd.Series, root: Path | None, **options: object) -> "Picky":
            raise RejectColumn("on a closer look, no")

    schema = infer_schema(read_table(pd.DataFrame({"n": [1, 2, 1]})), [Picky, Label])
    assert schema.used == {"n": Label(("1", "2"))}
    assert schema.columns[0].tried == {"number": "on a closer look, no"}


def test_files_that_do_not_open_are_reported_with_their_column() -> None:
    class Broken(Note):
        @classmethod
        def detect(cls, cells: pd.Series, root: Path | None) -> str:
            raise DataError("names notes, but none opens")

    with pytest.raises(DataError, match="column 'p' names notes, but none opens"):
        infer_schema(read_table(pd.DataFrame({"p": ["a.txt", "b.txt"]})), [Broken, Label])


@pytest.mark.parametrize(("cell", "kind"), [([1], "list"), ({"x": 1}, "dict"), (np.zeros(2), "ndarray")])
def test_cells_of_several_values_are_ignored(cell: object, kind: str) -> None:
    schema = schema_of({"a": [cell, cell, None], "n": [1, 2, 1]})
    assert schema.ignored == {"a": f"cells hold several values each ({kind})"}
