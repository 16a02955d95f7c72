from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from amodal.errors import UsageError
from amodal.files import exclusive_lock
from amodal.files.locks import lock_file

HOLD = """
import sys, time
from pathlib import Path
from amodal.files.locks import exclusive_lock
with exclusive_lock(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def holder(tmp_path: Path):
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path / "place")], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_a_second_run_is_told_who_holds_the_place(holder: subprocess.Popen, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as told, exclusive_lock(tmp_path / "place"):
        pass
    for words in (f"process {holder.pid} on {os.uname().nodename} since 2", "(-c ", str(tmp_path / "place")):
        assert words in str(told.value)


def test_links_lead_to_the_same_lock(holder: subprocess.Popen, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "link").symlink_to("../place")
    with pytest.raises(UsageError), exclusive_lock(tmp_path / "there" / "link"):
        pass


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_the_lock_of_the_dead_is_free(holder: subprocess.Popen, how: signal.Signals, tmp_path: Path) -> None:
    holder.send_signal(how)
    holder.wait()
    assert lock_file(tmp_path / "place").is_file()
    with exclusive_lock(tmp_path / "place"):
        assert str(os.getpid()) in lock_file(tmp_path / "place").read_text()
    assert list(tmp_path.iterdir()) == []


def test_a_thread_that_holds_it_may_take_it_again_and_another_not(tmp_path: Path) -> None:
    refused = []

    def other() -> None:
        try:
            with exclusive_lock(tmp_path / "place"):
                pass
        except UsageError as problem:
            refused.append(str(problem))

    with exclusive_lock(tmp_path / "place"):
        with exclusive_lock(tmp_path / "place"):
            pass
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
        assert lock_file(tmp_path / "place").is_file()
    assert f"process {os.getpid()}" in refused[0]
    other()
    assert len(refused) == 1


def test_a_folder_made_for_a_lock_goes_with_it(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), exclusive_lock(tmp_path / "new" / "place"):
        raise ZeroDivisionError
    assert not (tmp_path / "new").exists()
    with exclusive_lock(tmp_path / "new" / "place"):
        (tmp_path / "new" / "kept").touch()
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["kept"]
