"""Delimiters and encodings, workbooks, addresses and folders of splits."""

import datetime
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import fsspec
import openpyxl
import pandas as pd
import pytest

from amodal.errors import DataError, UsageError
from amodal.table import read_table

ROWS = [("name", "größe", "city"), *((f"n{n % 7}", f"{150 + n / 3:.1f}", "Köln") for n in range(30))]


def text(delimiter: str) -> str:
    return "\n".join(delimiter.join(row) for row in ROWS) + "\n"


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".txt"])
@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"]
)
def test_delimiter_and_encoding_are_found(tmp_path: Path, delimiter: str, suffix: str, encoding: str) -> None:
    path = tmp_path / f"t{suffix}"
    path.write_bytes(text(delimiter).encode(encoding))
    frame = read_table(path).frame
    assert frame.columns.tolist() == list(ROWS[0])
    assert frame.iloc[0].tolist() == list(ROWS[1])
    assert len(frame) == 30


def test_what_was_found_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(text(";").replace(".", ",").encode("latin-1"))
    assert read_table(path).frame["größe"][1] == "150,3"
    assert "cp1252 (Latin-1)" in caplog.text
    assert "delimiter ';' (semicolon), numbers with a decimal comma" in caplog.text
    caplog.clear()
    path.write_text(text(","), encoding="utf-8")
    read_table(path)
    assert caplog.text == ""


def test_a_line_that_names_the_delimiter_is_no_header(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("sep=;\n" + text(";"), encoding="utf-8")
    assert read_table(path).columns == ROWS[0]


@pytest.mark.parametrize(
    ("content", "columns"),
    [
        ("a,b\nx;y,z;w\nu;v,w;x\n", ("a", "b")),
        ("note\nfirst; second\nthird\n", ("note",)),
        ('a;b\n"x;1";2\n', ("a", "b")),
        ("s;c;d\n1,5;Bern;x\n", ("s", "c", "d")),
        ("a,b\n1;2,3\n", ("a", "b")),
    ],
)
def test_other_marks_in_cells_are_no_delimiters(
    tmp_path: Path, content: str, columns: tuple[str, ...]
) -> None:
    (tmp_path / "t.csv").write_text(content)
    assert read_table(tmp_path / "t.csv").columns == columns


def test_delimiter_and_encoding_can_be_named(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes("名:n\n北京:1\n".encode("gb18030"))
    assert read_table(path, sep=":", encoding="gb18030").frame["名"].tolist() == ["北京"]
    with pytest.raises(DataError, match=r"not UTF-8: byte 1 of line 1 .*encoding=\"cp1252\""):
        read_table(path)
    with pytest.raises(DataError, match="is not ascii"):
        read_table(path, encoding="ascii")
    with pytest.raises(UsageError, match="no encoding 'klingon'"):
        read_table(path, encoding="klingon")
    with pytest.raises(UsageError, match="sep must be one character"):
        read_table(path, sep="::", encoding="gb18030")


def test_a_workbook(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    book = openpyxl.Workbook()
    book.active.title = "empty"
    sheet = book.create_sheet("people")
    day = datetime.datetime(2024, 1, 2)
    for row in (["name", "age", "day", "height"], ["Ann", 7, day, 1.5], ["NA", None, None, 2], [None] * 4):
        sheet.append(row)
    book.save(tmp_path / "t.xlsx")
    frame = read_table(tmp_path / "t.xlsx").frame
    assert frame["name"].tolist() == ["Ann", "NA"]
    assert frame["age"].dtype == "Int64"
    assert frame["day"].tolist()[0] == pd.Timestamp(day)
    assert frame["height"].tolist() == [1.5, 2.0]
    assert "the sheet 'people' is read, one of 2" in caplog.text


def test_a_table_at_an_address(tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": [1, 2], "b": ["x", "y"]})
    with fsspec.open("memory://folder/t.parquet", "wb") as file:
        frame.to_parquet(file)
    pd.testing.assert_frame_equal(read_table("memory://folder/t.parquet").frame, frame)
    with pytest.raises(DataError, match="no such file"):
        read_table("memory://folder/gone.csv")
    with pytest.raises(UsageError, match="cannot be read"):
        read_table("nothing://folder/t.csv")
    with pytest.raises(DataError, match="is not a table"):
        read_table("memory://folder/t.pdf")


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


def test_a_table_of_a_web_server(tmp_path: Path) -> None:
    pytest.importorskip("aiohttp")
    (tmp_path / "t.csv").write_text(text(";"), encoding="utf-8")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(tmp_path)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        table = read_table(f"http://127.0.0.1:{server.server_port}/t.csv?version=2")
        assert table.columns == ROWS[0]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_folder_of_splits(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for split in ("train", "test"):
        (tmp_path / split).mkdir()
        (tmp_path / split / "metadata.jsonl").write_text(
            f'{{"file_name": "1.png", "tags": ["a"], "of": "{split}"}}\n'
        )
    table = read_table(tmp_path)
    assert table.frame["of"].tolist() == ["train"]
    assert table.frame["tags"].tolist() == [["a"]]
    assert table.root == tmp_path / "train"
    assert "holds the splits train, test" in caplog.text
    assert read_table(tmp_path / "test").frame["of"].tolist() == ["test"]
