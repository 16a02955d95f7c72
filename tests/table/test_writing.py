from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from amodal.errors import DataError, UsageError
from amodal.table import read_table, write_table
from amodal.table.folder_names import folder_names
from tests.table.fakes import Note, Number

NOTES = {"note": Note(9), "weight": Number(1.0)}


def notes(*cells: object) -> pd.Series:
    return pd.Series(cells, dtype=object)


def test_a_table_reads_back_as_it_was_written(tmp_path: Path) -> None:
    texts = [
        "a 🐱",
        "一只猫",
        "قطة",
        'say "hi", then\nleave',
        "carriage\rreturn",
        "windows\r\nline",
        " spaced ",
        "NA",
        "007",
        None,
        "",
    ]
    count = len(texts)
    frame = pd.DataFrame(
        {
            "note": [np.array(list(f"text {row}")) if row % 3 else None for row in range(count)],
            "weight": [0.1 + 0.2, None, *np.linspace(-1e9, 1e-9, count - 2)],
            "whole": pd.array([None, *range(count - 1)], dtype="Int64"),
            "text": texts,
        },
        index=range(100, 100 + count),
    )
    path = write_table(frame, tmp_path / "out", NOTES)
    assert path == tmp_path / "out" / "metadata.csv"
    table = read_table(tmp_path / "out")
    assert table.columns == ("note", "weight", "whole", "text")
    assert [None if pd.isna(text) else text for text in table.frame["text"]] == [*texts[:-1], None]
    np.testing.assert_array_equal(table.frame["weight"].astype(float), frame["weight"])
    assert table.frame["whole"].dropna().tolist() == [str(number) for number in range(count - 1)]
    assert table.frame["note"].isna().tolist() == [row % 3 == 0 for row in range(count)]
    assert table.frame["note"][1] == "note/02.txt"
    for row, cell in table.frame["note"].dropna().items():
        assert (tmp_path / "out" / cell).read_text() == f"text {row}"
    assert len(list((tmp_path / "out" / "note").iterdir())) == 7


def test_one_column_with_a_missing_cell(tmp_path: Path) -> None:
    write_table(pd.DataFrame({"a": ["x", None, "y"]}), tmp_path / "out", {})
    assert read_table(tmp_path / "out").frame["a"].isna().tolist() == [False, True, False]


def test_a_column_of_files_all_missing(tmp_path: Path) -> None:
    write_table(pd.DataFrame({"note": [None, None], "a": ["x", "y"]}), tmp_path / "out", NOTES)
    assert read_table(tmp_path / "out").frame["note"].isna().all()


def test_files_are_numbered_with_as_many_digits_as_the_last(tmp_path: Path) -> None:
    write_table(pd.DataFrame({"note": notes(*[list("x")] * 100)}), tmp_path / "out", NOTES)
    names = sorted(path.name for path in (tmp_path / "out" / "note").iterdir())
    assert (names[0], names[-1], len(names)) == ("001.txt", "100.txt", 100)


def test_files_of_the_input_are_copied_with_their_suffix(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.md").write_text("kept")
    (tmp_path / "b.text").write_text("named by the program")
    frame = pd.DataFrame({"note": notes("a.md", tmp_path / "b.text", list("drawn"), "")})
    write_table(frame, tmp_path / "out", NOTES, root=tmp_path / "in")
    cells = read_table(tmp_path / "out").frame["note"].tolist()
    assert cells[:3] == ["note/1.md", "note/2.text", "note/3.txt"]
    texts = [(tmp_path / "out" / cell).read_text() for cell in cells[:3]]
    assert texts == ["kept", "named by the program", "drawn"]
    assert frame["note"][0] == "a.md"


def test_a_table_is_not_written_over_the_one_it_came_from(tmp_path: Path) -> None:
    write_table(pd.DataFrame({"note": notes(list("one"), list("two"))}), tmp_path / "t", NOTES)
    table = read_table(tmp_path / "t")
    with pytest.raises(UsageError, match="which is read"):
        write_table(table.frame.head(1), tmp_path / "t", NOTES, root=table.root, overwrite=True)
    assert len(read_table(tmp_path / "t")) == 2


def test_files_that_cannot_be_copied(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "secret.txt").write_text("not of this table")
    frame = pd.DataFrame({"note": notes("../secret.txt", "gone.txt")})
    with pytest.raises(
        DataError, match=r"'note': 2 files .*'\.\./secret\.txt' leaves .*'gone\.txt' no such file"
    ):
        write_table(frame, tmp_path / "out", NOTES, root=tmp_path / "in")
    assert not (tmp_path / "out").exists()


def test_a_place_that_is_taken(tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": ["new"]})
    (tmp_path / "empty").mkdir()
    write_table(frame, tmp_path / "empty", {})

    write_table(pd.DataFrame({"a": ["old"]}), tmp_path / "table", {})
    with pytest.raises(UsageError, match="overwrite=True"):
        write_table(frame, tmp_path / "table", {})
    assert (tmp_path / "table" / "metadata.csv").read_text() == "a\nold\n"
    write_table(frame, tmp_path / "table", {}, overwrite=True)
    assert (tmp_path / "table" / "metadata.csv").read_text() == "a\nnew\n"

    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "thesis.tex").touch()
    with pytest.raises(UsageError, match="is no table"):
        write_table(frame, tmp_path / "home", {}, overwrite=True)
    with pytest.raises(UsageError, match="is a file"):
        write_table(frame, tmp_path / "home" / "thesis.tex", {}, overwrite=True)
    assert (tmp_path / "home" / "thesis.tex").exists()


def test_a_failure_leaves_nothing(tmp_path: Path) -> None:
    class Failing(Note):
        def to_bytes(self, cell: object) -> bytes:
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write_table(pd.DataFrame({"note": notes(["x"], ["y"])}), tmp_path / "out", {"note": Failing(9)})
    assert list(tmp_path.iterdir()) == []


def test_columns_whose_names_no_file_system_takes(tmp_path: Path) -> None:
    names = ["a/b", "a:b", "A_B", "..", ".", "CON", "metadata.csv", "名前", "x" * 300, "../../up", "nul.txt"]
    writers = {name: Note(9) for name in names}
    frame = pd.DataFrame({name: notes(list(f"cell of {number}")) for number, name in enumerate(names)})
    write_table(frame, tmp_path / "deep" / "out", writers)
    table = read_table(tmp_path / "deep" / "out")
    assert table.columns == tuple(names)
    assert table.root
    for number, name in enumerate(names):
        path = table.root / table.frame[name][0]
        assert path.resolve().is_relative_to(table.root.resolve())
        assert path.read_text() == f"cell of {number}"
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["out"]


def test_folder_names_differ_even_where_case_does_not_count() -> None:
    names = folder_names(["Sound", "sound", "SOUND", "sound-2"])
    assert len({name.casefold() for name in names.values()}) == 4
    assert names["Sound"] == "Sound"
