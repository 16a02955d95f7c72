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
from amodal.comparison.attempt import read_outcome
from amodal.comparison.split import split_table
from amodal.table import read_table

MEMORY = """
import runpy, sys
print(runpy.run_path(sys.argv[1])["peak_memory"]())
"""


def test_a_problem_is_the_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    split = split_table(read_table(pd.DataFrame({"n": range(9)})), {}, 0)
    told = trial.Trial({"method": "mvtcae", "time_limit": "soon"}, split, None, tmp_path)
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(pickle.dumps(told))))
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    with pytest.raises(SystemExit) as end:
        trial.main()
    assert end.value.code == 1
    outcome = read_outcome(tmp_path)
    assert outcome is not None
    assert "5m" in outcome.failure


@pytest.mark.skipif(not Path("/proc/self/status").is_file(), reason="needs Linux's /proc")
def test_peak_memory_is_the_process_s_own() -> None:
    ballast = bytearray(b"x") * 400_000_000
    script = "import sys; sys.modules['amodal.comparison.split'] = type(sys)('split')\n"
    script += "sys.modules['amodal.comparison.split'].Split = object\n" + MEMORY
    done = subprocess.run(
        [sys.executable, "-c", script, trial.__file__], capture_output=True, text=True, check=True
    )
    assert 5_000_000 < int(done.stdout) < len(ballast)
