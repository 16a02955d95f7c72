"""`amodal compare`: small tables, real processes."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from typer.testing import CliRunner

from amodal import DataError, TableModel, UsageError, compare
from amodal.cli import app
from amodal.comparison import trial_process

KILLED = [sys.executable, "-c", "import os; os.kill(os.getpid(), 9)"]


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    colours = rng.choice(["red", "green", "blue"], 160)
    frame = pd.DataFrame(
        {
            "size": np.where(colours == "red", 3.0, 1.0) + rng.normal(0, 0.3, 160),
            "colour": colours,
            "said": [f"the {colour} hen lays {row} eggs" for row, colour in enumerate(colours)],
        }
    )
    return frame.mask(rng.random(frame.shape) < 0.05)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    rng = np.random.default_rng(0)
    rows = []
    for row in range(110):
        bright = row % 2 == 0
        cells = rng.integers(128 * bright, 128 + 127 * bright, (8, 8), dtype=np.uint8)
        Image.fromarray(cells).save(folder / f"{row}.png")
        rows.append((f"{row}.png", "day" if bright else "night"))
    pd.DataFrame(rows, columns=["view", "time"]).to_csv(folder / "metadata.csv", index=False)
    return folder


def test_an_interrupted_comparison_goes_on(
    table: pd.DataFrame,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    out = tmp_path / "out"
    first = compare(table, methods=["mvtcae"], epochs=2, target="colour", output=out)
    assert first.loc[0, "method"] == "mvtcae"
    before = (out / "mvtcae" / "model" / "model.safetensors").stat().st_mtime_ns
    # What a killed process leaves.
    left = out / ".amodal-a_killed"
    (left / "new" / "mmvae" / "work").mkdir(parents=True)
    (left / "lock").touch()
    capsys.readouterr()

    both = compare(table, methods=["mvtcae", "mmvae"], epochs=2, target="colour", output=out)
    printed = capsys.readouterr().err
    assert "mvtcae: fitted and judged before, and used again." in printed
    assert "mmvae: being fitted and judged, 1 of 1." in printed
    assert (out / "mvtcae" / "model" / "model.safetensors").stat().st_mtime_ns == before
    assert {path.name for path in out.iterdir()} == {
        ".amodal.json",
        "comparison.json",
        "leaderboard.csv",
        "report.html",
        "mvtcae",
        "mmvae",
    }

    pd.testing.assert_frame_equal(
        pd.read_csv(out / "leaderboard.csv").drop(columns="failure"),
        both.drop(columns="failure"),
        check_dtype=False,
    )
    assert both["failure"].isna().all()
    assert both[["overall", "fidelity", "completion", "target"]].notna().all().all()
    assert (both["parameters"] > 1000).all()
    # Nobody runs PyTorch in less, and no model of three columns takes more.
    assert both["memory_mb"].between(100, 4000).all()
    assert both["epochs"].tolist() == [2, 2]
    page = (out / "report.html").read_text(encoding="utf-8")
    assert 'href="mmvae/report.html"' in page
    assert "prediction of colour" in page
    assert "<code>" in page
    report = json.loads((out / "mmvae" / "report.json").read_text())
    assert (report["provenance"]["fit_rows"], report["provenance"]["heldout"]["rows"]) == (80, 80)
    assert report["provenance"]["training"]["fingerprint"] == report["provenance"]["fit_fingerprint"]
    assert len(TableModel.load(out / "mmvae" / "model").sample(2)) == 2

    with pytest.raises(UsageError, match=r"differs in seed \(0, now 1\).*overwrite=True"):
        compare(table, methods=["mvtcae"], epochs=2, target="colour", output=out, seed=1)
    with pytest.raises(UsageError, match="differs in data"):
        compare(table.head(150), methods=["mvtcae"], epochs=2, target="colour", output=out)
    monkeypatch.setattr(trial_process, "COMMAND", KILLED)
    anew = compare(table, methods=["mvtcae"], output=out, seed=1, overwrite=True)
    assert anew["failure"].notna().all()
    assert not (out / "mmvae").exists()


def test_time_is_limited_unless_the_epochs_are(
    table: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trial_process, "COMMAND", KILLED)
    for budget, limit in (({}, 300.0), ({"epochs": 1}, None), ({"epochs": 1, "time_limit": "9s"}, 9.0)):
        compare(table, methods=["mopoe"], output=tmp_path, overwrite=True, **budget)
        assert json.loads((tmp_path / "comparison.json").read_text())["time_limit"] == limit


def test_a_method_that_fails_does_not_end_the_others(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    words = ["compare", str(pictures), "-o", str(out), "--time-limit", "3s", "--methods"]
    with monkeypatch.context() as patch:
        patch.setattr(trial_process, "COMMAND", KILLED)
        killed = CliRunner().invoke(app, [*words, "mopoe"])
        assert killed.exit_code == 3
        assert "No method finished" in killed.output
        code = "import sys; sys.stdin.buffer.read(1); from os import abort; abort()"
        patch.setattr(trial_process, "COMMAND", [sys.executable, "-c", code])
        assert "SIGABRT" in CliRunner().invoke(app, [*words, "mopoe"]).output

    def sometimes(trial: trial_process.Trial) -> trial_process.Outcome:
        with monkeypatch.context() as patch:
            if trial.settings["method"] == "mopoe":
                patch.setattr(trial_process, "COMMAND", KILLED)
            return trial_process.run_in_subprocess(trial)

    monkeypatch.setattr("amodal.comparison.compare_methods.run_in_subprocess", sometimes)
    done = CliRunner().invoke(app, [*words, "mopoe,mvtcae"])
    assert done.exit_code == 0, done.output
    assert "mopoe: failed before, and is tried again." in done.output
    frame = pd.read_csv(out / "leaderboard.csv")
    assert frame["method"].tolist() == ["mvtcae", "mopoe"]
    assert frame["failure"].tolist()[1] == "the system killed it, most often because memory ran out"
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "memory ran out" in page
    assert len(re.findall(r'<img[^>]*alt="view \d, drawn by mvtcae"', page)) == 8
    assert len(re.findall(r'<img[^>]*alt="view \d, real"', page)) == 8
    assert not re.search(r'(src|href)="(?!data:|#|mvtcae/report\.html")', page)


def test_what_a_process_says_of_its_failure_is_kept(
    table: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = """
from amodal.comparison import trial
def run(trial):
    (trial.folder / "work").mkdir()
    return 1 / 0
trial.run = run
trial.main()
"""
    monkeypatch.setattr(trial_process, "COMMAND", [sys.executable, "-c", code])
    frame = compare(table, methods=["mvtcae"], output=tmp_path / "out")
    assert frame.loc[0, "failure"] == "ZeroDivisionError: division by zero"
    kept = {path.name for path in (tmp_path / "out" / "mvtcae").iterdir()}
    assert kept == {".amodal.json", "outcome.json", "traceback.txt"}
    assert "division by zero" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")


def test_wrong_calls_start_nothing(
    table: pd.DataFrame, pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trial_process, "COMMAND", ["no such program"])
    for wrong, printed in (
        ({"methods": ["vae"]}, "Choose from latent-flow"),
        ({"methods": []}, "no methods"),
        ({"time_limit": "soon"}, "5m"),
        ({"target": "said"}, "Choose from size, colour"),
        ({"target": "weight"}, "'weight' is none"),
        ({"types": {"colour": "poem"}}, "poem"),
    ):
        with pytest.raises(UsageError, match=printed):
            compare(table, output=tmp_path / "out", **wrong)
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "mum.txt").write_text("dear mum")
    with pytest.raises(UsageError, match="is no comparison"):
        compare(table, output=tmp_path / "letters", overwrite=True)
    (pictures / "broken.png").write_bytes(b"no picture")
    broken = pd.read_csv(pictures / "metadata.csv")
    broken.loc[105, "view"] = "broken.png"
    with pytest.raises(DataError, match="row 106"):
        compare(broken, media_root=pictures, output=tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="needs Linux's /proc")
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_a_comparison_that_is_ended_takes_its_processes_along(
    table: pd.DataFrame, tmp_path: Path, how: signal.Signals
) -> None:
    out = tmp_path / "out"
    table.to_csv(tmp_path / "table.csv", index=False)
    words = ["compare", str(tmp_path / "table.csv"), "-o", str(out), "--methods", "mvtcae", "--epochs", "1"]
    called = [sys.executable, "-m", "amodal.cli", *words]
    with subprocess.Popen(called, stderr=subprocess.PIPE, text=True) as process:
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        while not (found := children.read_text().split()):
            assert process.poll() is None
            time.sleep(0.05)
        with pytest.raises(UsageError, match=f"process {process.pid} "):
            compare(table, output=out)
        process.send_signal(how)
        printed = process.communicate(timeout=60)[1]
    assert process.returncode == (143 if how == signal.SIGTERM else -9)
    for child in found:
        while Path(f"/proc/{child}/cmdline").exists() and Path(f"/proc/{child}/cmdline").read_bytes():
            time.sleep(0.05)
    if how == signal.SIGTERM:
        assert "Interrupted. The same command goes on" in printed
        assert {path.name for path in out.iterdir()} == {".amodal.json", "comparison.json"}
    assert CliRunner().invoke(app, words).exit_code == 0
    assert {path.name for path in tmp_path.iterdir()} == {"table.csv", "out"}
    assert not [path for path in out.iterdir() if path.name.startswith(".amodal-")]
