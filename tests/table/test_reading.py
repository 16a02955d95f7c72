import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from amodal.errors import DataError
from amodal.table import read_table, row_number

SCRIPTS = ["a 🐱 on a mat", "一只猫坐在垫子上", "قطة على سجادة", 'say "hi", then\nleave', " spaced "]


def written(folder: Path, content: str | bytes, name: str = "table.csv") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def cells(path: Path, column: str = "a") -> list[object]:
    return [None if pd.isna(cell) else cell for cell in read_table(path).frame[column]]


@pytest.mark.parametrize(("name", "delimiter"), [("t.csv", ","), ("t.tsv", "\t"), ("T.CSV", ",")])
def test_delimited_cells_are_text(tmp_path: Path, name: str, delimiter: str) -> None:
    rows = [["a", "b"], ["007", "NA"], ["None", ""], ["nan", "inf"], ["1.50", "null"]]
    table = read_table(written(tmp_path, "\n".join(delimiter.join(row) for row in rows), name))
    assert table.frame["a"].tolist() == ["007", "None", "nan", "1.50"]
    assert table.frame["b"].isna().tolist() == [False, True, False, False]
    assert table.frame["b"].dropna().tolist() == ["NA", "inf", "null"]
    assert table.root == tmp_path
    assert table.columns == ("a", "b")
    assert len(table) == 4


def test_the_media_root_can_be_elsewhere(tmp_path: Path) -> None:
    path = written(tmp_path, "a\n1\n")
    assert read_table(path, media_root=tmp_path / "media").root == tmp_path / "media"


def test_a_byte_order_mark_and_windows_line_ends_are_no_part_of_a_cell(tmp_path: Path) -> None:
    table = read_table(written(tmp_path, b"\xef\xbb\xbfa,b\r\n1,2\r\n"))
    assert table.columns == ("a", "b")
    assert table.frame["b"].tolist() == ["2"]


def test_one_row_one_column(tmp_path: Path) -> None:
    assert read_table(written(tmp_path, "a\nx")).frame["a"].tolist() == ["x"]


def test_a_quoted_empty_cell_is_a_missing_one_and_a_blank_line_no_row(tmp_path: Path) -> None:
    assert cells(written(tmp_path, 'a\nx\n""\n\ny\n')) == ["x", None, "y"]


def test_thirty_columns(tmp_path: Path) -> None:
    names = [f"c{number}" for number in range(30)]
    table = read_table(written(tmp_path, ",".join(names) + "\n" + ",".join(["1"] * 30)))
    assert table.columns == tuple(names)


def test_a_cell_longer_than_the_csv_module_s_limit(tmp_path: Path) -> None:
    assert len(str(cells(written(tmp_path, "a\n" + "x" * 200_000))[0])) == 200_000


def test_many_rows_keep_their_order(tmp_path: Path) -> None:
    count = 120_000
    path = written(tmp_path, "a\n" + "\n".join(map(str, range(count))))
    assert read_table(path).frame["a"].tolist() == [str(number) for number in range(count)]


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".jsonl", ".parquet"])
def test_texts_of_all_scripts_come_as_they_are(tmp_path: Path, suffix: str) -> None:
    frame = pd.DataFrame({"a": [*SCRIPTS, None, ""]})
    path = tmp_path / f"t{suffix}"
    if suffix == ".jsonl":
        path.write_text("\n".join(json.dumps({"a": cell}) for cell in [*SCRIPTS, None, ""]))
    elif suffix == ".parquet":
        frame.to_parquet(path)
    else:
        frame.to_csv(path, index=False, sep="," if suffix == ".csv" else "\t")
    assert cells(path) == [*SCRIPTS, None, None]


def test_a_folder_is_read_by_its_metadata(tmp_path: Path) -> None:
    written(tmp_path, '{"a": 1}', "metadata.jsonl")
    table = read_table(str(tmp_path))
    assert table.frame["a"].tolist() == [1]
    assert table.root == tmp_path


def test_a_folder_without_metadata_or_with_two(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"holds no metadata.csv, metadata.tsv"):
        read_table(tmp_path)
    written(tmp_path, "a\n1", "metadata.csv")
    written(tmp_path, "a\n1", "metadata.tsv")
    with pytest.raises(DataError, match=r"holds metadata.csv, metadata.tsv"):
        read_table(tmp_path)


def test_json_types_are_kept(tmp_path: Path) -> None:
    rows = [
        {"a": 7, "b": 1.5, "c": True, "d": "2024-01-01", "e": "007", "f": [1, 2]},
        {"a": None, "b": 2, "c": None, "d": None},
        {"a": 8, "b": float("nan"), "c": False, "e": "", "f": None},
    ]
    frame = read_table(written(tmp_path, "\n".join(map(json.dumps, rows)) + "\n\n", "t.jsonl")).frame
    # Whole numbers stay whole beside a hole: as labels, 7 and 7.0 differ.
    assert frame["a"].dropna().astype(str).tolist() == ["7", "8"]
    assert frame["b"].dropna().tolist() == [1.5, 2.0]
    assert frame["c"].dropna().tolist() == [True, False]
    assert frame["d"].dropna().tolist() == ["2024-01-01"]
    assert frame["e"].dropna().tolist() == ["007"]
    assert frame["f"].dropna().tolist() == [[1, 2]]


def test_parquet_keeps_whole_numbers_whole_and_drops_an_unnamed_index(tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": pd.array([1, None], dtype="Int32"), "b": [1, 2]}, index=[5, 9])
    frame.to_parquet(tmp_path / "t.parquet")
    read = read_table(tmp_path / "t.parquet").frame
    assert read.columns.tolist() == ["a", "b"]
    assert read["a"].dropna().astype(str).tolist() == ["1"]
    assert read.index.tolist() == [0, 1]


def test_a_frame_loses_its_index_and_keeps_its_caller_s_copy() -> None:
    frame = pd.DataFrame({1: ["x", ""], "n": [np.nan, np.inf]}, index=["p", "q"])
    before = frame.copy()
    table = read_table(frame)
    assert table.columns == ("1", "n")
    assert table.frame.index.tolist() == [0, 1]
    assert table.frame["1"].isna().tolist() == [False, True]
    assert table.frame["n"].isna().tolist() == [True, False]
    assert table.root == Path()
    pd.testing.assert_frame_equal(frame, before)


def test_a_frame_of_arrays_and_labels() -> None:
    pictures = pd.Series([np.zeros(2), None, np.ones(2), ""], dtype=object)
    frame = pd.DataFrame({"picture": pictures, "sort": pd.Categorical(["a", "", None, "b"])})
    table = read_table(frame)
    assert table.frame["picture"].isna().tolist() == [False, True, False, True]
    assert table.frame["sort"].isna().tolist() == [False, True, True, False]


def test_empty_rows(tmp_path: Path) -> None:
    table = read_table(written(tmp_path, "a,b,c\n1,,x\n,,x\n,2,x\n,,x"))
    assert table.empty_rows(["a", "b"]) == [1, 3]
    assert table.empty_rows(["a", "c"]) == []
    assert row_number(1) == 2


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("t.csv", "", "has no columns"),
        ("t.csv", "a,b\n", "has no rows"),
        ("t.csv", "a,b,a,c,b\n1,2,3,4,5", "repeated column names: 'a', 'b'"),
        ("t.csv", ",a,\n1,2,3", r"no name \(counted from 1\): 1, 3"),
        ("t.csv", "a,b\n1,2\n1,2,3\n\n1", r"2 rows do not have 2 cells .*: line 3 has 3, line 5 has 1"),
        ("t.csv", 'a,b\n1,"2\n3,4', "line 3: unexpected end of data"),
        ("t.csv", "a,b\n1,北京\n2,上海".encode("gb18030"), "byte 3 of line 2 is 0xb1"),
        ("t.csv", "a,b\n1,2\0\x9f\n".encode("latin-1"), "is not UTF-8"),
        (
            "t.jsonl",
            '{"a": 1}\n{"a": \n[1]\n{"a": 1, "a": 2}',
            r"3 lines .*: line 2 .* line 3 \(not an object\)",
        ),
        ("t.jsonl", '{"a": "\\ud83d"}', "line 1 .*surrogates"),
        ("t.jsonl", '{"a": "x"}\n{"a": "Привет"}'.encode("cp1251"), "byte 8 of line 2"),
        ("t.jsonl", '{"a": 1, " ": 2}', "no name"),
        ("t.jsonl", "\n", "has no columns"),
        ("t.parquet", "not a parquet file at all", "cannot be read as Parquet"),
        ("t.xlsx", "", "cannot be read as an Excel workbook"),
        ("t.xls", "", ".csv, .tsv, .tab, .txt, .jsonl, .ndjson, .parquet, .xlsx files are read"),
    ],
)
def test_bad_files_are_refused(tmp_path: Path, name: str, content: str | bytes, message: str) -> None:
    path = written(tmp_path, content, name)
    with pytest.raises(DataError, match=message) as caught:
        read_table(path)
    assert str(path) in str(caught.value)


def test_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nothing.csv: no such file"):
        read_table(tmp_path / "nothing.csv")


def test_a_truncated_parquet(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    pd.DataFrame({"a": range(1000)}).to_parquet(path)
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(DataError, match="cannot be read as Parquet"):
        read_table(path)


def test_parquet_with_duplicate_names(tmp_path: Path) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    twice = pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"])
    parquet.write_table(twice, tmp_path / "t.parquet")
    with pytest.raises(DataError, match="repeated column names: 'a'"):
        read_table(tmp_path / "t.parquet")


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (pd.DataFrame(), "has no columns"),
        (pd.DataFrame({"a": []}), "has no rows"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "repeated column names: 'a'"),
        (pd.DataFrame([[1, 2]], columns=[1, "1"]), "repeated column names: '1'"),
        (pd.DataFrame([[1, 2]], columns=["a", " "]), "no name .* 2"),
    ],
)
def test_bad_frames_are_refused(frame: pd.DataFrame, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_table(frame)
