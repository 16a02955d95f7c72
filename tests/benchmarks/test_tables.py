"""The command itself, as a process."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.page import section

ROOT = Path(__file__).parents[2]


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    paths = [str(ROOT), str(ROOT / "src"), os.environ.get("PYTHONPATH", "")]
    return subprocess.run(
        [sys.executable, "-m", "benchmarks.tables", *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)},
        capture_output=True,
        text=True,
        timeout=600,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    generator = np.random.default_rng(0)
    for part, rows in (("metadata", 80), ("heldout", 40)):
        size = generator.normal(50, 10, rows).round(1)
        frame = pd.DataFrame({"size": size, "large": np.where(size > 50, "yes", "no")})
        frame["colour"] = generator.choice(["red", "blue"], rows)
        for name in ("things", "broken"):
            place = tmp_path / "tables" / name
            place.mkdir(parents=True, exist_ok=True)
            if name == "broken":
                frame["size"] = frame["size"].astype(object)
                frame.loc[3, "size"] = "very large"
            frame.to_csv(place / f"{part}.csv", index=False)
    return tmp_path


def test_tables_are_measured_and_become_a_section_of_the_page(folder: Path) -> None:
    options = ["--folder", "tables", "--epochs", "2", "--rows", "70", "--seeds", "2", "--draws", "3"]
    done = run(folder, "things", *options, "--json", "out/figures.json")
    assert done.returncode == 0, done.stderr
    record = json.loads(done.stdout.splitlines()[-1])
    assert record == json.loads((folder / "out/figures.json").read_text())
    things = record["tables"]["things"]
    assert things["rows"] == 70
    assert [seed["seed"] for seed in things["seeds"]] == [0, 1]
    for seed in things["seeds"]:
        assert list(seed["columns"]) == ["size", "large", "colour"]
        assert seed["epochs"] == 2
    shares = [seed["completion"]["mean share"] for seed in things["seeds"]]
    assert things["mean"]["completion"]["mean share"] == pytest.approx(np.mean(shares))

    text = section(folder / "out/figures.json")
    assert "### things" in text
    assert f"{things['mean']['columns']['large']['amodal']:.3f}" in text


def test_a_table_that_cannot_be_fitted_keeps_no_other_from_being_measured(folder: Path) -> None:
    options = ["--folder", "tables", "--epochs", "1", "--seeds", "1", "--draws", "2"]
    done = run(folder, "broken", "things", *options)
    assert done.returncode == 3
    assert "broken cannot be fitted" in done.stderr
    assert "very large" in done.stderr
    record = json.loads(done.stdout.splitlines()[-1])
    assert list(record["tables"]) == ["things"]
    assert list(record["problems"]) == ["broken"]


def test_what_cannot_be_measured_is_told_before_anything_is_fitted(folder: Path) -> None:
    done = run(folder, "things", "nowhere", "--folder", "tables")
    assert done.returncode == 3
    assert "There is no table 'nowhere'" in done.stderr
    assert run(folder, "things", "--folder", "tables", "--seeds", "0").returncode == 2
