from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import soundfile
import torch
from PIL import Image

from amodal.batch import Batch
from amodal.cli import main
from amodal.metrics import scaled_batch
from amodal.modalities import MODALITIES
from amodal.nn import precision
from amodal.table import Table, encode, infer_schema, read_table

ROWS = 40


@pytest.fixture(scope="session", autouse=True)
def slow_bfloat16() -> Iterator[None]:
    """Let networks compute in float32 on every machine, but for tests that ask for bfloat16.

    What a test finds must not depend on whether its processor has instructions for it.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(precision, "has_fast_bfloat16", lambda device: False)
        yield


@pytest.fixture(scope="session", autouse=True)
def default_signals() -> Iterator[None]:
    """Handle signals as in a terminal, also where the tests run in the background, which ignores some of them."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGHUP)}
    for number, handler in before.items():
        if handler == signal.SIG_IGN:
            default = signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL
            signal.signal(number, default)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture(params=[False, True], ids=["float32", "bfloat16"])
def bfloat16(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Do a test twice: as on a processor that is no faster in bfloat16, and as on one that is."""
    monkeypatch.setattr(precision, "has_fast_bfloat16", lambda device: request.param)
    return request.param


@pytest.fixture(autouse=True)
def seeded(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Begin each test with the same random numbers, in whatever order tests run."""
    torch.manual_seed(0)
    if hasattr(request.module, "RNG"):
        monkeypatch.setattr(request.module, "RNG", np.random.default_rng(0))


@pytest.fixture(scope="session")
def five_columns(tmp_path_factory: pytest.TempPathFactory) -> Table:
    """A table with one column of each type, named for its type, and its files."""
    root = tmp_path_factory.mktemp("five_columns")
    rng = np.random.default_rng(0)
    for row in range(ROWS):
        Image.fromarray(rng.integers(0, 256, (9, 7, 3), dtype=np.uint8)).save(root / f"{row}.png")
        soundfile.write(root / f"{row}.wav", tone(200 + 20 * row, 0.2 + 0.005 * row), 8_000)
    things, places = ("cat", "dog", "cow", "hen"), ("road", "hill", "moon")
    frame = pd.DataFrame(
        {
            "image": [f"{row}.png" for row in range(ROWS)],
            "audio": [f"{row}.wav" for row in range(ROWS)],
            "number": rng.normal(170, 10, ROWS).round(2),
            "category": [("red", "green", "dark blue")[row % 3] for row in range(ROWS)],
            "text": [
                f"the {things[row % 4]} sees {row} hens on the {places[row % 3]}" for row in range(ROWS)
            ],
        }
    )
    return read_table(frame, root)


@pytest.fixture(scope="session")
def every_type(five_columns: Table) -> Table:
    """A table with one column of each type, named for its type, and its files."""
    rows = range(len(five_columns))
    days = pd.Timestamp("2023-01-05") + pd.to_timedelta([row * 37 % 400 for row in rows], unit="D")
    genres = ["Action", "Comedy", "Drama"]
    frame = five_columns.frame.assign(
        datetime=pd.Series(days.strftime("%Y-%m-%d"), dtype="str"),
        duration=[f"{row * 7 % 5}:{row * 11 % 60:02}:{row * 13 % 60:02}" for row in rows],
        boolean=[row % 3 == 0 for row in rows],
        tags=[[genre for place, genre in enumerate(genres) if (row * 3 + 1) >> place & 1] for row in rows],
    )
    order = dict.fromkeys(kind.type for kind in MODALITIES)
    return replace(five_columns, frame=frame[list(order)])


Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def amodal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Run the command line in this process, as another would take seconds for its imports alone."""

    def run(*words: object, code: int = 0) -> subprocess.CompletedProcess[str]:
        called = ["amodal", *map(str, words)]
        monkeypatch.setattr(sys, "argv", called)
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        done = subprocess.CompletedProcess(called, int(ended.value.code or 0), said.out, said.err)
        return as_told(done, code)

    return run


@pytest.fixture
def process() -> Command:
    """Run the command line as a process of its own, as a user does."""

    def run(*words: object, code: int = 0) -> subprocess.CompletedProcess[str]:
        called = [sys.executable, "-m", "amodal.cli", *map(str, words)]
        return as_told(subprocess.run(called, capture_output=True, text=True, check=False), code)

    return run


def as_told(done: subprocess.CompletedProcess[str], code: int) -> subprocess.CompletedProcess[str]:
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done


def tone(hertz: float, seconds: float, rate: int = 8_000) -> np.ndarray:
    return 0.5 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)


@pytest.fixture(scope="session")
def modalities(five_columns: Table) -> dict[str, Any]:
    return dict(infer_schema(five_columns, MODALITIES).used)


@pytest.fixture(scope="session")
def real(five_columns: Table, modalities: dict[str, Any]) -> Batch:
    """The forty rows of five columns, as models draw them."""
    return scaled_batch(encode(five_columns, modalities), modalities)
