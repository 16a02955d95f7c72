from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from amodal import TableModel, UsageError


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
    model = TableModel(time_limit="2s", epochs=10**6, patience=10**6, latent=4).fit(data)
    assert 0 < len(model.history_) < 10**6


def test_two_processes_train_as_one(amodal, data: Path, tmp_path: Path) -> None:
    amodal(*words(data, tmp_path / "one", "--epochs", 3))
    subprocess.run(
        command(data, tmp_path / "two", "--epochs", 3, "--devices", 2, "--strategy", "ddp"), check=True
    )
    one, two = (pd.read_csv(tmp_path / name / "history.csv") for name in ("one", "two"))
    columns = ["train_loss", "val_loss"]
    np.testing.assert_allclose(one[columns], two[columns], rtol=1e-3)


def started(called: list[str], awaited: Path) -> subprocess.Popen[str]:
    """A process that has come so far that a file is there."""
    process = subprocess.Popen(called, stderr=subprocess.PIPE, text=True)
    while not awaited.is_file():
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.1)
    return process


def killed_after_a_checkpoint(called: list[str], work: Path, how: signal.Signals) -> tuple[int, str]:
    process = started(called, work / "last.ckpt")
    os.kill(process.pid, how)
    said = process.communicate(timeout=60)[1]
    return process.returncode, said


ENDS = {signal.SIGKILL: -9, signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}


@pytest.mark.parametrize("how", ENDS)
def test_an_interrupted_run_goes_on(amodal, how: signal.Signals, data: Path, tmp_path: Path) -> None:
    model, work = tmp_path / "model", tmp_path / "model.training"
    code, said = killed_after_a_checkpoint(command(data, model, "--epochs", 3000), work, how)
    assert code == ENDS[how]
    assert "Traceback" not in said
    assert ("--resume" in said) == (how != signal.SIGKILL)
    assert not model.exists()
    amodal(*words(data, model, "--epochs", 3000, "--time-limit", "1s", "--resume"))
    history = pd.read_csv(model / "history.csv")
    assert history["epoch"].tolist() == list(range(1, len(history) + 1))
    assert {path.name for path in tmp_path.iterdir()} == {"table.csv", "model"}


def test_a_run_is_resumed_only_as_it_was(data: Path, tmp_path: Path) -> None:
    work = tmp_path / "work"
    TableModel(epochs=1, latent=4).fit(data, work=work)
    with pytest.raises(UsageError, match=r"differs in latent \(4, now 8\)"):
        TableModel(epochs=2, latent=8).fit(data, work=work, resume=True)
    with pytest.raises(UsageError, match="differs in data"):
        TableModel(epochs=2, latent=4).fit(table(300), work=work, resume=True)
    resumed = TableModel(epochs=3, latent=4).fit(data, work=work, resume=True)
    assert len(resumed.history_) == 3


def test_a_resumed_run_ends_where_an_unbroken_one_does(data: Path, tmp_path: Path, bfloat16: bool) -> None:
    unbroken = TableModel(epochs=4, latent=4, types={"text": "text"}).fit(data)
    stops = tmp_path / "stops"
    TableModel(epochs=4, latent=4, types={"text": "text"}).fit(data, work=stops)
    # The checkpoint is of the first epoch: later ones came too soon after it.
    resumed = TableModel(epochs=4, latent=4, types={"text": "text"}).fit(data, work=stops, resume=True)
    np.testing.assert_allclose(resumed.history_["val_loss"], unbroken.history_["val_loss"], rtol=1e-5)


def test_a_second_run_is_refused_and_the_first_goes_on(amodal, data: Path, tmp_path: Path) -> None:
    model, work = tmp_path / "model", tmp_path / "model.training"
    with started(command(data, model, "--epochs", 3000), work / "last.ckpt") as first:
        for more in ([], ["--overwrite"], ["--resume"]):
            said = amodal(*words(data, model, "--epochs", 1, *more), code=2).stderr
            assert f"process {first.pid} on " in said
            assert f"fit {data} -o {model}" in said
        with pytest.raises(UsageError, match=f"process {first.pid} "):
            TableModel(epochs=1).fit(data, work=work)
        with pytest.raises(UsageError, match=f"process {first.pid} "):
            TableModel(epochs=1).fit(data, work=tmp_path / "elsewhere", output=model)
        assert not model.exists()
        assert (work / "last.ckpt").is_file()
        first.send_signal(signal.SIGTERM)
        assert "--resume" in first.communicate(timeout=60)[1]


def test_to_resume_is_to_go_on_from_whatever_is_there(
    amodal, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model, work = tmp_path / "model", tmp_path / "model.training"
    once = words(data, model, "--epochs", 2, "--method", "mvtcae")
    # Nothing is there yet.
    assert "2 epochs" in amodal(*once, "--resume").stdout
    whole = {path.name: path.read_bytes() for path in model.iterdir()}
    # It is at its end.
    said = amodal(*once, "--resume")
    assert "is finished" in said.stderr
    assert "2 epochs" in said.stdout
    assert {path.name: path.read_bytes() for path in model.iterdir()} == whole
    assert {path.name for path in tmp_path.iterdir()} == {"table.csv", "model"}
    for other, named in (
        (("--epochs", 3), "epochs (2, now 3)"),
        (("--seed", 1), "seed (0, now 1)"),
        (("--type", "kind=text"), "data"),
    ):
        said = amodal(*once, *other, "--resume", code=2)
        assert named in said.stderr
        assert "--overwrite" in said.stderr
        assert {path.name: path.read_bytes() for path in model.iterdir()} == whole

    # It was killed between the end of writing the model and that of clearing away.
    TableModel("mvtcae", epochs=2, batch_size=64, device="cpu").fit(data, work=work)
    assert "2 epochs" in amodal(*once, "--resume").stdout
    assert not work.exists()
    # It was killed before the table was prepared.
    TableModel("mvtcae", epochs=2, batch_size=64, device="cpu").fit(data, work=work)
    (work / "fit.json").unlink()
    assert "2 epochs" in amodal(*once, "--resume").stdout
    assert not work.exists()


@pytest.mark.parametrize("name", ["fit.json", "last.ckpt", "store/0.npy", "store/store.json"])
def test_what_is_damaged_is_made_anew(
    name: str, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    work = tmp_path / "work"
    model = TableModel("mvtcae", epochs=2, latent=4).fit(data, work=work)
    path = work / name
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    again = TableModel("mvtcae", epochs=2, latent=4).fit(data, work=work, resume=True)
    assert "anew" in capsys.readouterr().err
    np.testing.assert_allclose(again.history_["val_loss"], model.history_["val_loss"], rtol=1e-5)


def test_checkpoints_do_not_pass_through_the_folder_for_temporary_files(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a temporary file was made elsewhere")

    made = tempfile.mkdtemp

    def beside(*args: object, **how: object) -> str:
        assert Path(str(how["dir"])).is_relative_to(tmp_path)
        return made(*args, **how)

    monkeypatch.setattr(tempfile, "mkstemp", refuse)
    monkeypatch.setattr(tempfile, "mkdtemp", beside)
    TableModel("mvtcae", epochs=1, latent=4).fit(data, output=tmp_path / "model")
    assert (tmp_path / "model" / "model.json").is_file()
