"""Outputs that nobody should ask for, and some do: nothing of the user's changes, and a sentence says why."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest
from pyarrow import parquet
from safetensors.numpy import load_file

from tests.robustness.conftest import ROWS, write_five_columns
from tests.robustness.fork_server import NO_MOUNT, ForkServer
from tests.robustness.snapshot import snapshot

COMMANDS = {
    "fit": "fit data --method mvtcae --epochs 1 -o",
    "sample": "sample model -n 2 -o",
    "complete": "complete model data -o",
    "embed": "embed model data -o",
    "features": "features data -o",
    "evaluate": "evaluate model data -o",
    "compare": "compare data --methods mvtcae --epochs 1 -o",
    "demo": "demo digits --rows 2 --",
}
OVERWRITE = "--overwrite"
REFUSED, MACHINE, MADE, ANY = {2}, {2, 5}, {0}, {0, 2, 5}


@dataclass(frozen=True)
class Odd:
    """A command with an odd output.

    Attributes:
        command: its name.
        output: where it is to write.
        codes: how it may end.
        overwrite: whether --overwrite is given.
        prepare: what is done to the user's folder before.
    """

    command: str
    output: str
    codes: set[int]
    overwrite: str = ""
    prepare: Callable[[Path], object] | None = None

    def read_only(self, home: Path) -> Path | None:
        """What is mounted read-only; devices, too, which a fault would otherwise replace for all."""
        if self.prepare is locked:
            return home / "locked"
        return Path("/dev") if self.output.startswith("/dev/") else None

    def __str__(self) -> str:
        output = self.output if len(self.output) < 50 else f"{len(self.output)} letters"
        prepared = self.prepare.__name__ if self.prepare else ""
        return " ".join(part for part in (self.command, ascii(output), self.overwrite, prepared) if part)


def links(home: Path) -> None:
    (home / "to nowhere").symlink_to("nowhere")
    (home / "to itself").symlink_to("to itself")
    (home / "to notes").symlink_to("notes.txt")
    (home / "to letters").symlink_to("letters")
    (home / "to empty").symlink_to("empty")
    (home / "to model").symlink_to("model")
    (home / "to data").symlink_to("data")
    (home / "hard.csv").hardlink_to(home / "data" / "metadata.csv")
    os.mkfifo(home / "pipe")


def own_file_in(folder: str) -> Callable[[Path], None]:
    def added(home: Path) -> None:
        (home / folder).mkdir(exist_ok=True)
        (home / folder / "mine.txt").write_text("mine")

    return added


def locked(home: Path) -> None:
    (home / "locked").mkdir()


ODD = [
    # what is read
    Odd("embed", "data/metadata.csv", REFUSED, OVERWRITE),
    Odd("features", "data/metadata.csv", REFUSED, OVERWRITE),
    Odd("features", "data/image/3.png", REFUSED, OVERWRITE),
    Odd("embed", "data/image/3.png", REFUSED, OVERWRITE),
    Odd("complete", "data", REFUSED, OVERWRITE),
    Odd("complete", "data/image", REFUSED, OVERWRITE),
    Odd("evaluate", "data", REFUSED, OVERWRITE),
    Odd("fit", "data", REFUSED, OVERWRITE),
    Odd("compare", "data/audio", REFUSED, OVERWRITE),
    Odd("sample", "model", REFUSED, OVERWRITE),
    Odd("evaluate", "model", REFUSED, OVERWRITE),
    Odd("complete", "model/new", REFUSED),
    Odd("embed", "model/model.safetensors", REFUSED, OVERWRITE),
    Odd("embed", "model", REFUSED, OVERWRITE),
    Odd("features", "data/vectors.parquet", ANY),
    Odd("features", "hard.csv", REFUSED, OVERWRITE, links),
    Odd("complete", "to data", REFUSED, OVERWRITE, links),
    Odd("sample", "to model", REFUSED, OVERWRITE, links),
    # what else is the user's
    Odd("sample", "letters", REFUSED),
    Odd("sample", "letters", REFUSED, OVERWRITE),
    Odd("evaluate", "letters", REFUSED),
    Odd("evaluate", "letters", REFUSED, OVERWRITE),
    Odd("fit", "letters", REFUSED, OVERWRITE),
    Odd("compare", "letters", REFUSED, OVERWRITE),
    Odd("demo", "letters", REFUSED),
    Odd("embed", "letters", REFUSED, OVERWRITE),
    Odd("embed", "notes.txt", REFUSED),
    Odd("embed", "notes.txt", REFUSED, OVERWRITE),
    Odd("features", "numbers.csv", REFUSED),
    Odd("features", "numbers.csv", REFUSED, OVERWRITE),
    Odd("features", "numbers.parquet", REFUSED, OVERWRITE),
    Odd("embed", "numbers.parquet", REFUSED),
    Odd("sample", "notes.txt", REFUSED, OVERWRITE),
    Odd("evaluate", "notes.txt", REFUSED, OVERWRITE),
    Odd("fit", "notes.txt", REFUSED, OVERWRITE),
    Odd("compare", "notes.txt", REFUSED, OVERWRITE),
    Odd("demo", "notes.txt", REFUSED),
    Odd("sample", "numbers", REFUSED, OVERWRITE),
    Odd("fit", "new", ANY, prepare=own_file_in("new.training")),
    Odd("fit", "generated.training", ANY),
    # what amodal wrote
    Odd("sample", "generated", REFUSED),
    Odd("sample", "generated", MADE, OVERWRITE),
    Odd("sample", "generated/", ANY, OVERWRITE),
    Odd("sample", "generated", ANY, OVERWRITE, own_file_in("generated")),
    Odd("evaluate", "report", MADE, OVERWRITE),
    Odd("evaluate", "report", ANY, OVERWRITE, own_file_in("report")),
    Odd("features", "vectors.parquet", MADE, OVERWRITE),
    Odd("fit", "fitted", ANY, OVERWRITE, own_file_in("fitted")),
    Odd("fit", "generated", REFUSED, OVERWRITE),
    Odd("sample", "fitted", REFUSED, OVERWRITE),
    Odd("evaluate", "generated", REFUSED, OVERWRITE),
    Odd("compare", "report", REFUSED, OVERWRITE),
    # what is no file and no folder
    Odd("embed", "to nowhere", ANY, prepare=links),
    Odd("sample", "to nowhere", ANY, prepare=links),
    Odd("embed", "to itself", MACHINE, OVERWRITE, links),
    Odd("sample", "to itself", MACHINE, OVERWRITE, links),
    Odd("embed", "to notes", REFUSED, OVERWRITE, links),
    Odd("sample", "to letters", REFUSED, OVERWRITE, links),
    Odd("sample", "to empty", ANY, prepare=links),
    Odd("embed", "pipe", MACHINE, OVERWRITE, links),
    Odd("fit", "pipe", MACHINE, OVERWRITE, links),
    Odd("embed", "/dev/null", MACHINE, OVERWRITE),
    Odd("features", "/dev/full", MACHINE, OVERWRITE),
    Odd("sample", "/dev/null", MACHINE, OVERWRITE),
    Odd("embed", "/dev/stdout", MACHINE, OVERWRITE),
    Odd("embed", "notes.txt/x", MACHINE),
    Odd("sample", "notes.txt/x", MACHINE),
    Odd("demo", "notes.txt/x", MACHINE),
    # where nothing can be written
    Odd("embed", "locked/x.parquet", MACHINE, prepare=locked),
    Odd("sample", "locked/x", MACHINE, prepare=locked),
    Odd("fit", "locked/x", MACHINE, prepare=locked),
    Odd("sample", "/proc/new", MACHINE),
    # names
    Odd("embed", "n" * 255, ANY),
    Odd("sample", "n" * 255, ANY),
    Odd("fit", "n" * 255, ANY),
    Odd("embed", "n" * 300, MACHINE),
    Odd("sample", "n" * 300, MACHINE),
    Odd("fit", "n" * 300, MACHINE),
    Odd("embed", "", REFUSED),
    Odd("sample", "", REFUSED),
    Odd("fit", "", REFUSED),
    Odd("sample", ".", REFUSED, OVERWRITE),
    Odd("evaluate", ".", REFUSED, OVERWRITE),
    Odd("fit", "..", REFUSED, OVERWRITE),
    Odd("demo", "..", REFUSED),
    Odd("sample", "/", REFUSED, OVERWRITE),
    Odd("embed", "/", REFUSED, OVERWRITE),
    Odd("sample", "missing/parents/new", ANY),
    Odd("embed", "missing/parents/new.parquet", ANY),
    Odd("embed", "new/", ANY),
    Odd("sample", "new/", ANY),
    Odd("sample", "two\nlines", ANY),
    Odd("sample", "with spaces", ANY),
    Odd("embed", os.fsdecode(b"caf\xe9"), ANY),
    Odd("sample", os.fsdecode(b"caf\xe9"), ANY),
    Odd("sample", "-", ANY),
    Odd("embed", "-o", ANY),
    Odd("sample", "MODEL", ANY),
    Odd("sample", "model.training", ANY),
]


@pytest.fixture(scope="module")
def template(server: ForkServer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A user's folder: a table, a model, other work of amodal's, and what is the user's own."""
    home, temporary = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("temporary")
    write_five_columns(home / "data")
    for name, output in (
        ("fit", "model"),
        ("fit", "fitted"),
        ("sample", "generated"),
        ("evaluate", "report"),
        ("features", "vectors.parquet"),
    ):
        run = server.run([*COMMANDS[name].split(), output], home, temporary)
        assert run.code == 0, run.stderr
    for folder in ("letters", "numbers", "empty"):
        (home / folder).mkdir()
    (home / "letters" / "mum.txt").write_text("dear mum")
    (home / "notes.txt").write_text("my notes")
    mine = pd.DataFrame({"n": [1, 2, 3]})
    mine.to_csv(home / "numbers.csv", index=False)
    # A table of the user's own, and not amodal's to replace.
    mine.to_csv(home / "numbers" / "metadata.csv", index=False)
    mine.to_parquet(home / "numbers.parquet")
    return home


@pytest.mark.parametrize("odd", ODD, ids=str)
def test_nothing_of_the_users_changes(odd: Odd, template: Path, server: ForkServer, tmp_path: Path) -> None:
    home, temporary = tmp_path / "around" / "home", tmp_path / "temporary"
    shutil.copytree(template, home, symlinks=True)
    temporary.mkdir()
    if odd.prepare:
        odd.prepare(home)
    target = home / odd.output if odd.output else home / "none"
    before, was_there = snapshot(home.parent), os.path.exists(target)  # noqa: PTH110 (a name may be too long)
    real = Path(os.path.realpath(target))
    words = [*COMMANDS[odd.command].split(), odd.output, *odd.overwrite.split()]
    run = server.run(words, home, temporary, read_only=odd.read_only(home))
    if run.code == 125 and NO_MOUNT in run.stderr:
        pytest.skip(run.stderr.strip())

    assert run.code in odd.codes, run
    assert "Traceback" not in run.stderr
    after = snapshot(home.parent)
    changed = {path for path in before if after.get(path) != before[path]}
    made = set(after) - set(before)
    if run.code:
        assert len(run.stderr.strip()) > 10
        assert run.stderr.count("Error") == 1
        assert not changed
        assert not made
    else:
        assert was_there or made
        assert all(_is_of(real, home.parent / path) for path in made), made
        assert all(_is_below(real, home.parent / path) for path in changed), changed
        assert not changed or (was_there and odd.overwrite)
        check_output(odd.command, real)
    mine = [path for path in before if path.endswith("mine.txt")]
    assert not changed.intersection(mine)
    assert not list(temporary.iterdir())


def _is_below(folder: Path, path: Path) -> bool:
    return path == folder or folder in path.parents


def _is_of(output: Path, path: Path) -> bool:
    """Whether a path is an output's, or a folder that was made for it."""
    return _is_below(output, path) or path in output.parents


def check_output(command: str, output: Path) -> None:
    """See that an output is whole and can be read."""
    if command in ("embed", "features"):
        assert parquet.read_table(output).num_rows == ROWS
    elif command == "fit":
        assert load_file(output / "model.safetensors")
        assert (output / "model.json").is_file()
    elif command == "evaluate":
        assert {"report.json", "report.html"} <= {path.name for path in output.iterdir()}
    elif command == "compare":
        assert len(pd.read_csv(output / "leaderboard.csv")) == 1
    else:
        frame = pd.read_csv(output / "metadata.csv")
        assert len(frame) == {"complete": ROWS}.get(command, 2)
        assert all((output / cell).is_file() for cell in frame["image"].dropna())
