from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from amodal.errors import UsageError
from amodal.files import (
    MANIFEST,
    begin_output_folder,
    check_output_file,
    check_output_folder,
    output_folder,
    remove_output_folder,
)


def write(folder: Path, *names: str, overwrite: bool = False) -> None:
    with output_folder(folder, "table", overwrite=overwrite) as new:
        for name in names:
            (new / name).parent.mkdir(exist_ok=True)
            (new / name).write_text("amodal's")


def test_a_manifest_lists_what_was_written(tmp_path: Path) -> None:
    write(tmp_path / "out", "metadata.csv", "photo/1.png", "photo/2.png")
    assert json.loads((tmp_path / "out" / MANIFEST).read_text()) == {
        "amodal": "table",
        "entries": ["metadata.csv", "photo/", "photo/1.png", "photo/2.png"],
    }
    write(tmp_path / "out", "metadata.csv", overwrite=True)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [MANIFEST, "metadata.csv"]


@pytest.mark.parametrize(
    "mine", ["notes.txt", "photo/3.png", "photo/raw/", "deep/er/notes.txt", ".hidden", ".amodal-notes/"]
)
def test_what_no_manifest_lists_is_kept(tmp_path: Path, mine: str) -> None:
    out = tmp_path / "out"
    write(out, "metadata.csv", "photo/1.png")
    if mine.endswith("/"):
        (out / mine).mkdir()
    else:
        (out / mine).parent.mkdir(exist_ok=True, parents=True)
        (out / mine).write_text("mine")
    with pytest.raises(UsageError, match="also holds what amodal did not write") as caught:
        write(out, "metadata.csv", overwrite=True)
    assert mine.split("/")[0] in str(caught.value)
    assert (out / mine).exists()
    assert (out / "photo" / "1.png").exists()


def test_what_comes_while_work_is_done_is_kept(tmp_path: Path) -> None:
    write(tmp_path / "out", "metadata.csv")

    def work() -> None:
        with output_folder(tmp_path / "out", "table", overwrite=True):
            (tmp_path / "out" / "mine.txt").touch()

    with pytest.raises(UsageError, match=r"mine\.txt"):
        work()
    assert (tmp_path / "out" / "mine.txt").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_what_systems_drop_into_folders_is_passed_over(tmp_path: Path) -> None:
    write(tmp_path / "out", "a")
    (tmp_path / "out" / ".DS_Store").touch()
    write(tmp_path / "out", "b", overwrite=True)
    assert (tmp_path / "out" / "b").exists()


def test_a_folder_in_a_folder_has_its_own_manifest(tmp_path: Path) -> None:
    with output_folder(tmp_path / "all", "comparison", entries=["one/", "two/"]):
        pass
    write(tmp_path / "all" / "one", "a")
    check_output_folder(tmp_path / "all", "comparison", overwrite=True)
    write(tmp_path / "all" / "one", "b", overwrite=True)
    check_output_folder(tmp_path / "all", "comparison", overwrite=True)
    (tmp_path / "all" / "one" / "mine").touch()
    with pytest.raises(UsageError, match=r"\(one/mine\)"):
        check_output_folder(tmp_path / "all", "comparison", overwrite=True)
    check_output_folder(tmp_path / "all", "comparison", resume=True)


@pytest.mark.parametrize(
    "broken", ["", "{", "[]", "{}", '{"amodal": "table"}', '{"entries": 1, "amodal": "table"}']
)
def test_a_broken_manifest_is_none(tmp_path: Path, broken: str) -> None:
    write(tmp_path / "out", "a")
    (tmp_path / "out" / MANIFEST).write_text(broken)
    with pytest.raises(UsageError, match="has no"):
        write(tmp_path / "out", overwrite=True)
    assert (tmp_path / "out" / "a").exists()


def test_a_folder_filled_bit_by_bit(tmp_path: Path) -> None:
    work = tmp_path / "work"
    begin_output_folder(work, "checkpoint", ["store/", "last.ckpt"])
    (work / "last.ckpt").touch()
    begin_output_folder(work, "checkpoint", ["store/", "last.ckpt"])
    assert (work / "last.ckpt").exists()
    (work / "mine").touch()
    remove_output_folder(work)
    assert (work / "mine").exists()
    (work / "mine").unlink()
    remove_output_folder(work)
    assert not work.exists()


def test_an_input_by_any_name(tmp_path: Path) -> None:
    data = tmp_path / "a" / "b" / "t.csv"
    data.parent.mkdir(parents=True)
    data.touch()
    (tmp_path / "link.csv").symlink_to(data)
    (tmp_path / "c").symlink_to(tmp_path / "a")
    for read in (data, tmp_path / "link.csv", tmp_path / "c" / "b" / "t.csv", str(data)):
        for output in ("a", "c", "a/b", "c/b", "a/../a", "c/b/../b"):
            with pytest.raises(UsageError, match="holds"):
                check_output_folder(tmp_path / output, "table", overwrite=True, inputs=[read])
        for output in ("a/b/t.csv", "link.csv", "c/b/t.csv"):
            with pytest.raises(UsageError, match="which is read"):
                check_output_file(tmp_path / output, overwrite=True, inputs=[read])
        for output in ("d", "a/b/c", "c/b/c", "a/new/deep"):
            check_output_folder(tmp_path / output, "table", overwrite=True, inputs=[read])
    # A link's own folder is part of the input too.
    (tmp_path / "links").mkdir()
    (tmp_path / "links" / "t.csv").symlink_to(data)
    with pytest.raises(UsageError, match="holds"):
        check_output_folder(tmp_path / "links", "table", inputs=[tmp_path / "links" / "t.csv"])
    check_output_folder(
        tmp_path / "d", "table", inputs=[None, {"a": 1}, "", "a\0b", "x" * 5000, "no such thing", 3]
    )


def test_names_that_are_none(tmp_path: Path) -> None:
    for name in ("a\0b", str(tmp_path / "a\0b")):
        with pytest.raises(UsageError, match="cannot be the name"):
            check_output_folder(name, "table")
        with pytest.raises(UsageError, match="cannot be the name"):
            check_output_file(name)
    write(tmp_path / "two\nlines", "a")
    assert (tmp_path / "two\nlines" / "a").exists()


def test_a_current_folder_that_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    (tmp_path / "here").rmdir()
    with pytest.raises(UsageError, match="current folder is gone"):
        check_output_folder("out", "table")


READ_ONLY = """
import os, sys
from amodal.files.outputs import check_output_file, check_output_folder
for check in (lambda path: check_output_folder(path, "table", overwrite=True), check_output_file):
    for path in ("mounted/new", "mounted/new/deep"):
        try:
            check(path)
        except OSError as problem:
            print(problem.errno, problem.filename)
try:
    check_output_folder("mounted/", "table")
except ValueError as problem:
    print(problem)
"""


def mounted(folder: Path, options: str) -> list[str]:
    """What is said of a place on a file system of its own."""
    (folder / "mounted").mkdir()
    unshare = shutil.which("unshare")
    if unshare is None:
        pytest.skip("there is no unshare")
    script = f'mount -t tmpfs -o {options} tmpfs mounted && exec "$0" "$@"'
    called = [unshare, "-rm", "sh", "-c", script, sys.executable, "-c", READ_ONLY]
    done = subprocess.run(called, cwd=folder, capture_output=True, text=True, check=False)
    if "unshare:" in done.stderr or "mount:" in done.stderr:
        pytest.skip(f"no file system can be mounted: {done.stderr}")
    assert not done.returncode, done.stderr
    return done.stdout.splitlines()


def test_a_file_system_that_is_read_only(tmp_path: Path) -> None:
    said = mounted(tmp_path, "ro")
    assert said[:-1] == [f"{errno.EROFS} mounted/new", f"{errno.EROFS} mounted/new/deep"] * 2
    assert said[-1] == "mounted is where a disk is mounted: name a new folder in it."


def test_a_file_system_that_is_full(tmp_path: Path) -> None:
    said = mounted(tmp_path, "size=4k,nr_inodes=2")
    assert said[:-1] == [f"{errno.ENOSPC} mounted/new", f"{errno.ENOSPC} mounted/new/deep"] * 2


@pytest.mark.skipif(hasattr(os, "getuid") and os.getuid() == 0, reason="root may write anywhere")
def test_a_folder_without_permission(tmp_path: Path) -> None:
    write(tmp_path / "out", "a")
    for closed, output in ((tmp_path, "new"), (tmp_path / "out", "out")):
        closed.chmod(0o500)
        try:
            with pytest.raises(PermissionError) as caught:
                check_output_folder(tmp_path / output, "table", overwrite=True)
        finally:
            closed.chmod(0o700)
        assert caught.value.filename == str(tmp_path / output)
