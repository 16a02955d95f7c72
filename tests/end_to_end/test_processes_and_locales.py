"""Forked processes, threads, two runs at once, and locales and pipes that are not UTF-8."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from amodal import TableModel, UsageError

FRAME = pd.DataFrame({"a": np.random.default_rng(0).normal(size=60).round(2), "b": list("xy") * 30})
TEXT = "城市,n\n" + "".join(f"{'北京' if n % 2 else 'Łódź'},{n * 1.7 % 5:.2f}\n" for n in range(60))
AMODAL = [sys.executable, "-m", "amodal.cli"]


def run(folder: Path, *words: str, **env: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [*AMODAL, *words], cwd=folder, capture_output=True, env={**os.environ, **env}, check=False
    )


FORK = """
import multiprocessing
from amodal import TableModel
from tests.end_to_end.test_processes_and_locales import FRAME

def sample_and_fit(model, found):
    drawn = model.sample(300)["b"].tolist()
    TableModel(epochs=1, latent=4).fit(FRAME)
    found.put(drawn)

model = TableModel(epochs=1, latent=4).fit(FRAME)
expected = model.sample(300)["b"].tolist()
context = multiprocessing.get_context("fork")
found = context.Queue()
child = context.Process(target=sample_and_fit, args=(model, found), daemon=True)
child.start()
assert found.get(timeout=100) == expected
child.join(60)
assert child.exitcode == 0
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_child_samples_and_fits() -> None:
    # In a process of its own, since a fork has none of the threads that other tests have started here.
    child = subprocess.run(
        [sys.executable, "-c", FORK], capture_output=True, text=True, timeout=300, check=False
    )
    assert child.returncode == 0, child.stderr


def test_fits_in_threads_are_those_of_one_after_another() -> None:
    made: dict[int, pd.DataFrame] = {}
    start = threading.Barrier(3)

    def fit(seed: int) -> None:
        start.wait()
        made[seed] = TableModel(epochs=1, latent=4, random_state=seed).fit(FRAME).sample(5)

    threads = [threading.Thread(target=fit, args=(seed,)) for seed in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for seed in range(3):
        alone = TableModel(epochs=1, latent=4, random_state=seed).fit(FRAME).sample(5)
        pd.testing.assert_frame_equal(made[seed], alone)


def test_a_second_fit_of_the_same_takes_the_first_one_s_model(tmp_path: Path) -> None:
    made: dict[str, object] = {}
    start = threading.Barrier(2)

    def fit(name: str) -> None:
        start.wait()
        model = TableModel(epochs=2, latent=4).fit(FRAME, output=tmp_path / "m")
        made[name] = model.sample(5)["b"].tolist()

    threads = [threading.Thread(target=fit, args=(name,)) for name in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made["a"] == made["b"]
    assert [path.name for path in tmp_path.iterdir()] == ["m"]
    with pytest.raises(UsageError, match="holds a model already"):
        TableModel(epochs=2, latent=4).fit(FRAME, output=tmp_path / "m")


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1"])
def test_output_into_a_pipe_of_any_encoding(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "t.csv").write_text(TEXT, encoding="utf-8")
    for words in (
        ["inspect", "t.csv"],
        ["inspect", "t.csv", "--json"],
        ["inspect", "t.csv", "--type", "城市=number"],
    ):
        done = run(tmp_path, *words, PYTHONIOENCODING=encoding)
        assert b"Traceback" not in done.stderr
        assert done.returncode == (3 if "--type" in words else 0)
        (done.stdout + done.stderr).decode(encoding)


def test_a_locale_without_letters(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(TEXT, encoding="utf-8")
    plain = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    done = run(tmp_path, "fit", "t.csv", "-o", "m", "--epochs", "1", "--type", "城市=category", **plain)
    assert done.returncode == 0, done.stderr
    done = run(tmp_path, "sample", "m", "-n", "2", "-o", "s", "--given", "城市=北京", **plain)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "s" / "metadata.csv").read_text(encoding="utf-8").count("北京") == 2


def test_links_delimiters_and_encodings_have_options(tmp_path: Path) -> None:
    from PIL import Image

    (tmp_path / "blobs").mkdir()
    (tmp_path / "table").mkdir()
    lines = ["file_name:n"]
    for number in range(12):
        Image.new("L", (8, 8), number * 20).save(tmp_path / "blobs" / f"{number}.png")
        (tmp_path / "table" / f"{number}.png").symlink_to(f"../blobs/{number}.png")
        lines.append(f"{number}.png:{number * 1.7 % 5:.2f}")
    (tmp_path / "table" / "metadata.csv").write_text("\n".join(lines), encoding="utf-16")
    refused = run(tmp_path, "inspect", "table", "--sep", ":")
    assert refused.returncode == 3
    assert b"pass --follow-links" in refused.stderr
    options = ["--sep", ":", "--encoding", "utf-16", "--follow-links"]
    assert b"image:pixels" in run(tmp_path, "inspect", "table", *options).stdout
    assert run(tmp_path, "fit", "table", "-o", "m", "--epochs", "1", *options).returncode == 0
    done = run(tmp_path, "complete", "m", "table", "-o", "out", *options)
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "out" / "file_name" / "01.png").is_symlink()


def test_rows_without_a_used_cell_are_left_out_by_fit_and_drawn_by_complete(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    frame = FRAME.assign(note=[f"a note of {n} words" for n in range(60)])
    frame.loc[[4, 9], ["a", "b"]] = None
    model = TableModel(epochs=1, latent=4, types={"note": "ignore"}).fit(frame)
    assert "2 of 60 rows have no usable cell" in caplog.text
    completed = model.complete(frame)
    assert completed[["a", "b"]].notna().all().all()
    assert completed["note"].equals(frame["note"])
