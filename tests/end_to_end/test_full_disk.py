"""Every command on a disk that is full: a real one, of memory, in a user's own name space."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import pytest

from amodal import TableModel
from amodal.table import Table

RUNNER = Path(__file__).with_name("on_small_disks.py")
COMMANDS = {
    "fit": "fit {table} -o out --epochs 1 --method mvtcae --device cpu",
    "sample": "sample {model} -n 16 -o out --device cpu",
    "complete": "complete {model} {table} -o out --device cpu",
    "embed": "embed {model} {table} -o out --device cpu",
    "features": "features {table} -o out",
    "evaluate": "evaluate {model} {table} -o out --device cpu",
    "compare": "compare {table} -o out --methods mvtcae --epochs 1 --device cpu",
    "demo": "demo digits out --rows 5",
}


@dataclass(frozen=True)
class Ended:
    """How a command ended on a disk of some size, and what it left there."""

    code: int
    stdout: str
    stderr: str
    left: list[str]
    pages: int


@pytest.fixture(scope="module")
def run(five_columns: Table, tmp_path_factory: pytest.TempPathFactory):
    """Run commands on disks with so many free pages; None for many, -1 for a disk that is read-only."""
    probe = ["unshare", "-rm", "mount", "-t", "tmpfs", "none", "/mnt"]
    if not shutil.which("unshare") or subprocess.run(probe, capture_output=True, check=False).returncode:
        pytest.skip("needs the right to mount a disk of memory: unshare -rm")
    folder = tmp_path_factory.mktemp("full_disk")
    table, model = folder / "table.csv", folder / "model"
    frame = five_columns.frame[["image", "number", "category"]]
    frame.to_csv(table, index=False)
    TableModel("mvtcae", epochs=1, latent=4).fit(frame, media_root=five_columns.root, output=model)

    def on_small_disks(runs: list[tuple[str, int | None]], stdout: str = "") -> list[Ended]:
        told = {
            "disk": str(folder / "disk"),
            "stdout": stdout,
            "runs": [
                (words.format(table=f"{table} --media-root {five_columns.root}", model=model).split(), pages)
                for words, pages in runs
            ],
        }
        (folder / "disk").mkdir(exist_ok=True)
        done = subprocess.run(
            ["unshare", "-rm", sys.executable, str(RUNNER)],
            input=json.dumps(told),
            capture_output=True,
            text=True,
            check=False,
            env=os.environ | {"OMP_NUM_THREADS": "1"},
        )
        assert done.returncode == 0, done.stderr
        return [Ended(**each) for each in json.loads(done.stdout)]

    return on_small_disks


def test_a_full_disk_is_said_and_nothing_half_done_stays(run) -> None:
    whole = dict(zip(COMMANDS, run([(words, None) for words in COMMANDS.values()]), strict=True))
    assert {name: ended.code for name, ended in whole.items()} == dict.fromkeys(COMMANDS, 0), whole
    runs = [
        (name, pages) for name in COMMANDS for pages in {0, whole[name].pages // 2, whole[name].pages - 1}
    ]
    ends = run([(COMMANDS[name], pages) for name, pages in runs])
    for (name, pages), ended in zip(runs, ends, strict=True):
        what = (name, pages, asdict(ended))
        assert ended.code == 5, what
        assert "Traceback" not in ended.stderr, what
        assert "There is no room to write" in ended.stderr, what
        assert "free at" in ended.stderr, what
        assert ".amodal-" not in ended.stderr, what
        # What was done before may stay, to go on from; half of an output never does.
        kept = {"fit": {"out.training"}, "compare": {"out"}}.get(name, set())
        assert set(ended.left) <= kept, what


def test_a_full_output_is_said(run) -> None:
    words = [
        "inspect {table}",
        "inspect {table} --json",
        "--help",
        "--version",
        "embed {model} {table} -o out",
    ]
    for ended in run([(each, None) for each in words], stdout="/dev/full"):
        assert ended.code == 5, ended
        assert "There is no room to write" in ended.stderr, ended
        assert "Traceback" not in ended.stderr, ended
        assert "Exception ignored" not in ended.stderr, ended


def test_a_disk_that_cannot_be_written_to_is_said(run) -> None:
    for ended in run([(words, -1) for words in COMMANDS.values()]):
        assert ended.code == 5, ended
        assert "Read-only file system" in ended.stderr, ended
        assert "Traceback" not in ended.stderr, ended
