from __future__ import annotations

import io
import pickle
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from amodal.comparison import trial
from amodal.comparison.split import split_table
from amodal.comparison.trial_process import read_outcome
from amodal.table import read_table

CALLER = """
import pickle, subprocess, sys, time
process = subprocess.Popen([sys.executable, "-c", sys.argv[1]], stdin=subprocess.PIPE)
process.stdin.write(pickle.dumps("a trial"))
process.stdin.flush()
time.sleep(600)
"""
ENDLESS = """
import os, time
from amodal.comparison import trial
def run(trial):
    print(os.getpid(), flush=True)
    time.sleep(600)
trial.run = run
trial.main()
"""

MEMORY = """
import runpy, sys
print(runpy.run_path(sys.argv[1])["peak_memory"]())
"""


def test_a_problem_is_the_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    split = split_table(read_table(pd.DataFrame({"n": range(9)})), {}, 0)
    given = trial.Trial({"method": "mvtcae", "time_limit": "soon"}, split, None, tmp_path)
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(pickle.dumps(given))))
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.setattr(trial, "_exit_with_parent", lambda: None)
    with pytest.raises(SystemExit) as end:
        trial.main()
    assert end.value.code == 1
    outcome = read_outcome(tmp_path)
    assert outcome is not None
    assert "5m" in outcome.failure


def test_a_trial_ends_with_its_caller() -> None:
    called = [sys.executable, "-c", CALLER, ENDLESS]
    with subprocess.Popen(called, stdout=subprocess.PIPE, text=True) as caller:
        assert caller.stdout
        assert int(caller.stdout.readline())
        caller.kill()
        caller.wait()
        # The trial holds the pipe's other end until it ends too.
        assert caller.stdout.read() == ""


@pytest.mark.skipif(not Path("/proc/self/status").is_file(), reason="needs Linux's /proc")
def test_peak_memory_is_the_process_s_own() -> None:
    ballast = bytearray(b"x") * 400_000_000
    script = "import sys; sys.modules['amodal.comparison.split'] = type(sys)('split')\n"
    script += "sys.modules['amodal.comparison.split'].Split = object\n" + MEMORY
    done = subprocess.run(
        [sys.executable, "-c", script, trial.__file__], capture_output=True, text=True, check=True
    )
    assert 5_000_000 < int(done.stdout) < len(ballast)
