from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from amodal.files import atomic, replacing_file, replacing_folder, temporary_folder

KILLS = """
import os, signal, sys
from pathlib import Path
from amodal.files import atomic

folder, exchanges = Path(sys.argv[1]), sys.argv[2] == "True"
if not exchanges:
    atomic._exchange = lambda one, other: False
target = folder / "out"

def fill(words):
    with atomic.replacing_folder(target) as new:
        (new / "inside").mkdir()
        for name in ("a", "inside/b"):
            (new / name).write_text(words)

def found():
    return [(target / name).read_text() for name in ("a", "inside/b")]

fill("0")
step, kept = 0, "0"
while True:
    step += 1
    child = os.fork()
    if not child:
        left = [step]
        def kill(event, told):
            if event.startswith(("os.", "open", "shutil.", "tempfile.", "fcntl.", "ctypes.")):
                left[0] -= 1
                if left[0] == 0:
                    os.kill(os.getpid(), signal.SIGKILL)
        sys.addaudithook(kill)
        fill(str(step))
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    if exchanges:
        assert found() in ([kept] * 2, [str(step)] * 2), (step, found())
    with atomic.replacing_file(folder / "other") as new:
        new.touch()
    assert sorted(os.listdir(folder)) == ["other", "out"], (step, os.listdir(folder))
    assert found() in ([kept] * 2, [str(step)] * 2), (step, found())
    kept = found()[0]
    if not status:
        break
    assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL, (step, status)
print(step)
"""


def fill(folder: Path, words: str) -> None:
    with replacing_folder(folder) as new:
        (new / "a").write_text(words)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system cannot fork")
@pytest.mark.parametrize("exchanges", [True, False])
def test_killed_at_any_step_all_is_old_or_new(tmp_path: Path, exchanges: bool) -> None:
    if exchanges and sys.platform not in ("linux", "darwin"):
        pytest.skip("the system cannot exchange folders")
    called = [sys.executable, "-c", KILLS, str(tmp_path), str(exchanges)]
    done = subprocess.run(called, capture_output=True, text=True, check=False)
    assert not done.returncode, done.stderr
    assert int(done.stdout) > 20


def test_folders_are_exchanged_where_the_system_can(tmp_path: Path) -> None:
    if sys.platform != "linux":
        pytest.skip("which file systems can is known for Linux alone")
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / name).touch()
    assert atomic._exchange(tmp_path / "one", tmp_path / "other")
    assert (tmp_path / "one" / "other").exists()
    assert (tmp_path / "other" / "one").exists()
    with pytest.raises(FileNotFoundError, match="nowhere"):
        atomic._exchange(tmp_path / "one", tmp_path / "nowhere")


@pytest.mark.parametrize("way", ["exchange", "two renames"])
def test_a_folder_takes_the_place_of_another(
    way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if way == "two renames":
        monkeypatch.setattr(atomic, "_exchange", lambda one, other: False)
    fill(tmp_path / "out", "old")
    (tmp_path / "out" / "more").touch()
    fill(tmp_path / "out", "new")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["a"]
    assert (tmp_path / "out" / "a").read_text() == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_rename_that_fails_puts_the_old_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(tmp_path / "out", "old")
    rename = Path.rename

    def fails(path: Path, target: Path) -> Path:
        if path.parent.name == "new":
            raise OSError(28, "No space left on device", str(target))
        return rename(path, target)

    monkeypatch.setattr(atomic, "_exchange", lambda one, other: False)
    monkeypatch.setattr(Path, "rename", fails)
    with pytest.raises(OSError, match="No space left"):
        fill(tmp_path / "out", "new")
    assert (tmp_path / "out" / "a").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_an_old_that_cannot_be_put_back_is_not_deleted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tmp_path / "out", "old")
    rename, done = Path.rename, []

    def fails_but_once(path: Path, target: Path) -> Path:
        if done:
            raise OSError(5, "Input/output error", str(path))
        done.append(path)
        return rename(path, target)

    monkeypatch.setattr(atomic, "_exchange", lambda one, other: False)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", fails_but_once)
        with pytest.raises(OSError, match=r"old.out"):
            fill(tmp_path / "out", "new")
    assert not (tmp_path / "out").exists()
    fill(tmp_path / "other", "next")
    assert (tmp_path / "out" / "a").read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other", "out"]


@pytest.mark.parametrize("failing", ["_sync", "_sync_all", "_exchange", "_set_default_mode"])
def test_an_error_at_any_step_leaves_the_old(
    failing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tmp_path / "out", "old")

    def fails(*_: object) -> None:
        raise OSError(5, "Input/output error")

    if failing == "_sync":  # after the exchange
        fill(tmp_path / "out", "new")
    with monkeypatch.context() as patch:
        patch.setattr(atomic, failing, fails)
        with pytest.raises(OSError, match="Input/output"):
            fill(tmp_path / "out", "new")
    assert (tmp_path / "out" / "a").read_text() == ("new" if failing == "_sync" else "old")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_files_reach_the_disk_one_by_one_where_not_all_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[Path] = []
    sync = atomic._sync

    def noted(path: Path) -> None:
        synced.append(path)
        sync(path)

    monkeypatch.setattr(atomic, "_sync", noted)
    monkeypatch.setattr(atomic, "_libc_function", lambda name: None)
    (tmp_path / "out" / "inside").mkdir(parents=True)
    (tmp_path / "out" / "inside" / "a").touch()
    atomic._sync_all(tmp_path / "out")
    folder = tmp_path / "out"
    assert set(synced) == {folder, folder / "inside", folder / "inside" / "a"}


MODES = """
import os, sys
from pathlib import Path
from amodal.files.atomic import replacing_file, replacing_folder

os.umask(int(sys.argv[2], 8))
folder = Path(sys.argv[1])
with replacing_folder(folder / "out") as new:
    (new / "inside").mkdir()
    (new / "open").touch()
    os.close(os.open(new / "inside" / "closed", os.O_CREAT | os.O_WRONLY, 0o600))
with replacing_file(folder / "file") as new:
    os.close(os.open(new, os.O_CREAT | os.O_WRONLY, 0o600))
"""


@pytest.mark.skipif(os.name == "nt", reason="modes are POSIX's")
@pytest.mark.parametrize(("umask", "file", "folder"), [("022", 0o644, 0o755), ("027", 0o640, 0o750)])
def test_modes_are_what_the_umask_gives(tmp_path: Path, umask: str, file: int, folder: int) -> None:
    subprocess.run([sys.executable, "-c", MODES, str(tmp_path), umask], check=True)
    modes = {str(path.relative_to(tmp_path)): path.stat().st_mode & 0o777 for path in tmp_path.rglob("*")}
    assert modes == {
        "out": folder,
        "out/inside": folder,
        "out/open": file,
        "out/inside/closed": file,
        "file": file,
    }


def test_what_a_link_leads_to_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "far").mkdir()
    fill(tmp_path / "far" / "folder", "old")
    (tmp_path / "far" / "file").write_text("old")
    for name in ("folder", "file"):
        (tmp_path / name).symlink_to(tmp_path / "far" / name)
    fill(tmp_path / "folder", "new")
    with replacing_file(tmp_path / "file") as new:
        new.write_text("new")
    assert (tmp_path / "folder").is_symlink()
    assert (tmp_path / "file").is_symlink()
    assert (tmp_path / "far" / "folder" / "a").read_text() == (tmp_path / "far" / "file").read_text() == "new"


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("old")

    def write() -> None:
        with replacing_file(tmp_path / "a.txt") as new:
            new.write_text("half")
            raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        write()
    assert (tmp_path / "a.txt").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_names_as_long_as_the_system_takes(tmp_path: Path) -> None:
    longest = os.pathconf(tmp_path, "PC_NAME_MAX")
    fill(tmp_path / ("d" * longest), "new")
    fill(tmp_path / ("d" * longest), "newer")
    with replacing_file(tmp_path / ("f" * longest)) as new:
        new.touch()
    assert sorted(len(path.name) for path in tmp_path.iterdir()) == [longest, longest]


HOLD = """
import sys, time
from pathlib import Path
from amodal.files.atomic import temporary_folder
with temporary_folder(Path(sys.argv[1])) as folder:
    (folder / "work").touch()
    print(folder, flush=True)
    time.sleep(600)
"""


def test_leftovers_go_when_their_owner_is_dead_and_not_before(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as owner:
        assert owner.stdout
        held = Path(owner.stdout.readline().strip())
        with temporary_folder(tmp_path):
            pass
        assert (held / "work").exists()
        owner.send_signal(signal.SIGKILL)
        owner.wait()
    assert (held / "work").exists()
    with temporary_folder(tmp_path) as folder:
        assert not held.exists()
        with temporary_folder(tmp_path):
            assert folder.exists()  # this process's own, still in use
    assert not list(tmp_path.iterdir())


def test_what_is_not_recognisably_ours_is_no_leftover(tmp_path: Path) -> None:
    kept = [".amodal-notes", ".amodal-abcdefgh", ".amodal-ABCDEFGH", "amodal-abcdefgh"]
    for name in kept:
        (tmp_path / name).mkdir()
        (tmp_path / name / "thesis.tex").touch()
    (tmp_path / ".amodal-xxxxxxxx").mkdir()
    (tmp_path / ".amodal-xxxxxxxx" / "new").mkdir()  # no lock
    (tmp_path / ".amodal-yyyyyyyy").write_text("a file")
    (tmp_path / ".amodal-zzzzzzzz").symlink_to(tmp_path / ".amodal-abcdefgh")
    before = sorted(tmp_path.rglob("*"))
    (tmp_path / ".amodal-00000000").mkdir()  # killed before it was locked
    with temporary_folder(tmp_path):
        pass
    assert sorted(tmp_path.rglob("*")) == before


def test_many_at_once_take_nothing_from_one_another(tmp_path: Path) -> None:
    code = """
import sys
from pathlib import Path
from amodal.files.atomic import temporary_folder
for number in range(60):
    with temporary_folder(Path(sys.argv[1])) as folder:
        (folder / "a").write_text("mine")
        assert (folder / "a").read_text() == "mine"
"""
    called = [sys.executable, "-c", code, str(tmp_path)]
    running = [subprocess.Popen(called, stderr=subprocess.PIPE, text=True) for _ in range(4)]
    for process in running:
        _, said = process.communicate(timeout=120)
        assert not process.returncode, said
    with temporary_folder(tmp_path):
        pass
    assert not list(tmp_path.iterdir())
