"""What no command writes to; the model here cannot be loaded, so that a command that works first is found out."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from PIL import Image

from amodal import TableModel
from amodal.errors import UsageError
from amodal.files import output_folder
from amodal.table import read_table

COMMANDS = {
    "fit": ("fit", "t/few.csv", "--config", "fit.yaml", "-o"),
    "sample": ("sample", "model", "-n", "1", "--given", "photo=t/photo/0.png", "-o"),
    "complete": ("complete", "model", "t/few.csv", "-o"),
    "embed": ("embed", "model", "t/few.csv", "-o"),
    "features": ("features", "t/few.csv", "--config", "fit.yaml", "-o"),
    "evaluate": ("evaluate", "model", "t/few.csv", "--training", "t/metadata.csv", "-o"),
    "compare": ("compare", "t/few.csv", "-o"),
    "demo": ("demo", "digits"),
}
OF_FILES = ("embed", "features")

# Of every command.
ODD = {
    "": "is the current folder",
    ".": "is the current folder",
    "..": "is the current folder, or holds it",
    "/": "is the current folder, or holds it",
    "x/..": "is the current folder",
    "-": "is standard output",
    "/dev/stdout": "is standard output",
    "/dev/fd/1": "is standard output",
    "/dev/null": "is a device",
    "pipe": "is a device, a pipe",
    "n" * 300: "cannot be the name",
    "new/" + "n" * 300: "cannot be the name",
    "/".join("n" * 200 for _ in range(30)): "cannot be the name",
    "not-utf-8-\udcff": "is not UTF-8",
    "t/few.csv/x": "lies in a file",
    "t/few.csv/x/y": "lies in a file",
    "dangling": "is a link to what is not there",
    "dangling/x": "is a link to what is not there",
    "loop": "is a link that leads to itself",
    "loop/x": "is a link that leads to itself",
}
# Of commands that read a table, a model, or both.
TABLE = {
    "t/few.csv": "which is read",
    "t/../t/few.csv": "which is read",
    "few-link.csv": "which is read",
    "few-hard.csv": "which is read",
    "t": "which is read",
    "t/": "which is read",
    "t-link": "which is read",
}
MODEL = {
    "model": "which is read",
    "model-link": "which is read",
    "model/x": "lies in",
    "model-link/x/y": "lies in",
    "model/model.json": "lies in",
}
# With --overwrite.
TAKEN_FOLDERS = {
    "letters": "has no .amodal.json",
    "t/photo": "has no .amodal.json",
    "letters-link": "has no .amodal.json",
    "letters/mum.txt": "is a file",
    "other-kind": "but a store",
}
TAKEN_FILES = {
    "letters": "is a folder",
    "letters/mum.txt": "is no file that amodal wrote",
    "t/photo/0.png": "is no file that amodal wrote",
    "plain.parquet": "is no file that amodal wrote",
}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's folder, with a table, a model, letters and odd things."""
    place = tmp_path / "here"
    (place / "t" / "photo").mkdir(parents=True)
    (place / "t" / "photo" / "0.png").write_bytes(b"a picture")
    for name in ("metadata.csv", "few.csv"):
        (place / "t" / name).write_text("photo,size\nphoto/0.png,1\n")
    (place / "fit.yaml").write_text("epochs: 1\n")
    (place / "letters").mkdir()
    (place / "letters" / "mum.txt").write_text("dear mum")
    for name, kind in (("model", "model"), ("other-kind", "store")):
        with output_folder(place / name, kind) as folder:  # type: ignore[arg-type]
            (folder / "model.json").write_text("of no model")
    pd.DataFrame({"a": [1.0]}).to_parquet(place / "plain.parquet")
    for name, target in (
        ("few-link.csv", "t/few.csv"),
        ("t-link", "t"),
        ("model-link", "model"),
        ("letters-link", "letters"),
        ("dangling", "nowhere"),
        ("loop", "loop"),
    ):
        (place / name).symlink_to(target)
    (place / "few-hard.csv").hardlink_to(place / "t" / "few.csv")
    os.mkfifo(place / "pipe")
    monkeypatch.chdir(place)
    return place


def everything(folder: Path) -> dict[str, bytes | str | int]:
    """All below a folder, with what is in it."""
    found: dict[str, bytes | str | int] = {}
    for path in folder.rglob("*"):
        status = path.lstat()
        content: bytes | str | int = status.st_ino
        if path.is_symlink():
            content = str(path.readlink())
        elif stat.S_ISREG(status.st_mode):
            content = path.read_bytes()
        found[str(path)] = content
    return found


def cases() -> list[tuple[str, str, str]]:
    found = []
    for command, words in COMMANDS.items():
        refused = dict(ODD)
        if "t/few.csv" in words:
            refused |= TABLE
        if "model" in words:
            refused |= MODEL
        if "fit.yaml" in words:
            refused |= {"fit.yaml": "which is read"}
        if command == "sample":
            refused |= {"t": "which is read", "t/photo": "which is read"}
        refused = (TAKEN_FILES if command in OF_FILES else TAKEN_FOLDERS) | refused
        found += [(command, output, said) for output, said in refused.items()]
    return found


@pytest.mark.parametrize(("command", "output", "said"), cases())
def test_what_no_command_writes_to(amodal, place: Path, command: str, output: str, said: str) -> None:
    before = everything(place)
    words = [*COMMANDS[command], output]
    if command != "demo":
        words.append("--overwrite")
    told = amodal(*words, code=2).stderr
    assert said in told
    assert told.startswith("Error: ")
    assert told.count("\n") == 1
    assert everything(place) == before


# `compare` goes on with a comparison that is there.
@pytest.mark.parametrize(
    ("command", "kind"),
    [
        ("fit", "model"),
        ("evaluate", "report"),
        ("sample", "table"),
        ("complete", "table"),
        ("embed", None),
        ("features", None),
    ],
)
def test_nothing_is_replaced_unasked(amodal, place: Path, command: str, kind: Any) -> None:
    if kind is None:
        (place / "out").touch()
    else:
        with output_folder(place / "out", kind) as folder:
            (folder / "a").touch()
    before = everything(place)
    told = amodal(*COMMANDS[command], "out", code=2).stderr
    assert "give another place, or pass --overwrite." in told
    assert everything(place) == before


@pytest.mark.parametrize("output", ["t/new", "t/photo/new", "new/deep", "t/new/"])
def test_a_new_place_in_a_table_folder_is_taken(amodal, place: Path, output: str) -> None:
    for command in ("complete", "embed"):
        told = amodal(command, "model", "t/few.csv", "-o", output, code=3).stderr
        assert "model.json is damaged" in told
    assert not (place / output).exists()
    assert not (place / "new").exists()


def test_what_the_user_added_is_kept(amodal, saved: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    words = ("sample", saved, "-n", 2, "-o", out)
    amodal(*words)
    amodal(*words, "--overwrite")
    for name in ("image/mine.png", "notes/a.txt", "b.txt", "c.txt", "d.txt"):
        (out / name).parent.mkdir(exist_ok=True)
        (out / name).write_text("mine")
    before = everything(tmp_path)
    told = amodal(*words, "--overwrite", code=2).stderr
    assert "did not write (b.txt, c.txt, d.txt and 2 more)" in told
    assert everything(tmp_path) == before


def test_media_that_the_table_names_are_kept(amodal, saved: Path, digits: Path, tmp_path: Path) -> None:
    amodal("sample", saved, "-n", 3, "-o", tmp_path / "made")
    rows = pd.read_csv(tmp_path / "made" / "metadata.csv", dtype=str)
    for name in ("image", "speech"):
        rows[name] = "made/" + rows[name]
    rows.to_csv(tmp_path / "all.csv", index=False)
    before = everything(tmp_path)
    words = ("complete", saved, tmp_path / "all.csv", "-o", tmp_path / "made", "--overwrite")
    assert "which" in amodal(*words, code=2).stderr
    assert "names" in amodal(*words, code=2).stderr
    assert everything(tmp_path) == before


def test_an_embedding_is_replaced_when_asked(amodal, saved: Path, digits: Path, tmp_path: Path) -> None:
    out = tmp_path / "vectors.parquet"
    words = ("embed", saved, digits, "-o", out)
    amodal(*words)
    assert "--overwrite" in amodal(*words, code=2).stderr
    before = out.stat().st_ino
    amodal(*words, "--overwrite")
    assert out.stat().st_ino != before
    table = read_table(out).frame
    assert table.shape == (160, 1)
    assert [path.name for path in tmp_path.iterdir()] == ["vectors.parquet"]
    # Its own input.
    assert "which is read" in amodal("embed", saved, out, "-o", out, "--overwrite", code=2).stderr


def test_a_list_of_bad_cells_takes_nothing_of_the_user(amodal, tmp_path: Path) -> None:
    Image.new("L", (20, 20)).save(tmp_path / "0.png")
    (tmp_path / "1.png").write_bytes(b"no picture")
    pd.DataFrame({"photo": ["0.png", "1.png"], "a": [1.5, 2.5]}).to_csv(tmp_path / "t.csv", index=False)
    mine = tmp_path / "v.bad_cells.csv"
    words = (
        *("features", tmp_path / "t.csv", "-o", tmp_path / "v.parquet", "--type", "photo=image:patches"),
        *("--bad-cells", "missing", "--overwrite"),
    )
    mine.write_text("my own list\n")
    assert "v.bad_cells.csv is no file that amodal wrote" in amodal(*words, code=2).stderr
    assert mine.read_text() == "my own list\n"
    assert not (tmp_path / "v.parquet").exists()
    mine.unlink()
    amodal(*words)
    amodal(*words)
    assert len(pd.read_csv(mine)) == 1


def test_a_folder_beside_a_model_is_not_taken_for_its_checkpoint(amodal, place: Path) -> None:
    (place / "new.training").mkdir()
    (place / "new.training" / "thesis.tex").write_text("years of work")
    told = amodal("fit", "t/few.csv", "-o", "new", code=2).stderr
    assert "new.training is no checkpoint that amodal wrote" in told
    assert (place / "new.training" / "thesis.tex").exists()


def test_arguments_in_python(saved: Path, digits: Path, tmp_path: Path) -> None:
    model = TableModel.load(saved)
    model.save(tmp_path / "model")
    with pytest.raises(UsageError, match="pass overwrite=True"):
        model.save(tmp_path / "model")
    model.save(tmp_path / "model", overwrite=True)
    (tmp_path / "model" / "mine.txt").touch()
    with pytest.raises(UsageError, match=r"mine\.txt"):
        model.save(tmp_path / "model", overwrite=True)
    with pytest.raises(UsageError, match="which is read"):
        model.evaluate(digits, output=digits, overwrite=True)
    with pytest.raises(UsageError, match="has no"):
        model.evaluate(digits, output=tmp_path, overwrite=True)
