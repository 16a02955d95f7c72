from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from amodal import TableModel, UsageProblem


def table(rows: int = 400) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    size = rng.normal(size=rows)
    kind = np.where(size > 0, "large", "small").astype(object)
    kind[::5] = None
    text = [f"a {word or 'hidden'} thing" for word in kind]
    return pd.DataFrame({"size": size.round(3), "kind": kind, "text": text})


def words(data: Path, model: Path, *more: object) -> list[str]:
    # In bfloat16 the gradients of half a batch round otherwise than those of the whole.
    how = ("--device", "cpu", "--precision", "32-true", "--batch-size", 64)
    return [str(word) for word in ("fit", data, "-o", model, *how, *more)]


def command(data: Path, model: Path, *more: object) -> list[str]:
    return [sys.executable, "-m", "amodal.cli", *words(data, model, *more)]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "table.csv"
    table().to_csv(path, index=False)
    return path


def test_training_lowers_the_held_out_loss_and_keeps_the_best(data: Path, bfloat16: bool) -> None:
    model = TableModel("mvtcae", epochs=15, latent=4).fit(data)
    losses = model.history_["val_loss"]
    assert losses.min() < losses.iloc[0] - 5
    assert list(model.history_)[:4] == ["epoch", "seconds", "train_loss", "val_loss"]
    assert model.history_["seconds"].is_monotonic_increasing


def test_it_stops_when_the_held_out_loss_no_longer_falls(bfloat16: bool) -> None:
    rng = np.random.default_rng(0)
    noise = pd.DataFrame({"a": rng.normal(size=60), "b": rng.normal(size=60)})
    model = TableModel(epochs=1000, latent=4, learning_rate=0.01).fit(noise)
    assert len(model.history_) < 600


def test_it_trains_in_the_precision_asked_for_or_the_faster_one(data: Path, bfloat16: bool) -> None:
    losses = {
        asked: TableModel("mvtcae", epochs=1, latent=4, device="cpu", precision=asked)
        .fit(data)
        .history_["val_loss"][0]
        for asked in ("auto", "32-true", "bf16-mixed")
    }
    assert losses["32-true"] != losses["bf16-mixed"]
    assert losses["auto"] == losses["bf16-mixed" if bfloat16 else "32-true"]


def test_a_time_limit_ends_training(data: Path) -> None:
    started = time.monotonic()
    model = TableModel(time_limit="4s", latent=4).fit(data)
    assert model.history_["seconds"].iloc[-1] <= 5
    assert time.monotonic() - started < 30, "far from the limit of a thousand epochs"


def test_two_processes_train_as_one(amodal, data: Path, tmp_path: Path) -> None:
    amodal(*words(data, tmp_path / "one", "--epochs", 3))
    subprocess.run(
        command(data, tmp_path / "two", "--epochs", 3, "--devices", 2, "--strategy", "ddp"), check=True
    )
    one, two = (pd.read_csv(tmp_path / name / "history.csv") for name in ("one", "two"))
    columns = ["train_loss", "val_loss"]
    np.testing.assert_allclose(one[columns], two[columns], rtol=1e-3)


def killed_after_a_checkpoint(called: list[str], work: Path, how: signal.Signals) -> int:
    process = subprocess.Popen(called, stderr=subprocess.PIPE, text=True)
    while not (work / "last.ckpt").is_file():
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.1)
    os.kill(process.pid, how)
    process.communicate(timeout=60)
    return process.returncode


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_an_interrupted_run_goes_on(amodal, how: signal.Signals, data: Path, tmp_path: Path) -> None:
    model, work = tmp_path / "model", tmp_path / "model.training"
    code = killed_after_a_checkpoint(command(data, model, "--epochs", 3000), work, how)
    assert code == {signal.SIGKILL: -9, signal.SIGINT: 130}[how]
    assert not model.exists()
    amodal(*words(data, model, "--epochs", 3000, "--time-limit", "1s", "--resume"))
    history = pd.read_csv(model / "history.csv")
    assert history["epoch"].tolist() == list(range(1, len(history) + 1))
    assert not work.exists()


def test_a_run_is_resumed_only_as_it_was(data: Path, tmp_path: Path) -> None:
    work = tmp_path / "work"
    TableModel(epochs=1, latent=4).fit(data, work=work)
    with pytest.raises(UsageProblem, match="differs in options"):
        TableModel(epochs=2, latent=8).fit(data, work=work, resume=True)
    with pytest.raises(UsageProblem, match="differs in data"):
        TableModel(epochs=2, latent=4).fit(table(300), work=work, resume=True)
    resumed = TableModel(epochs=3, latent=4).fit(data, work=work, resume=True)
    assert len(resumed.history_) == 3


def test_a_resumed_run_ends_where_an_unbroken_one_does(data: Path, tmp_path: Path, bfloat16: bool) -> None:
    unbroken = TableModel(epochs=4, latent=4).fit(data)
    stops = tmp_path / "stops"
    TableModel(epochs=4, latent=4).fit(data, work=stops)
    # The checkpoint is of the first epoch: later ones came too soon after it.
    resumed = TableModel(epochs=4, latent=4).fit(data, work=stops, resume=True)
    np.testing.assert_allclose(resumed.history_["val_loss"], unbroken.history_["val_loss"], rtol=1e-5)
