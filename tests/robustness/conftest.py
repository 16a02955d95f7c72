from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
from PIL import Image

from tests.conftest import tone
from tests.robustness.fork_server import ForkServer

ROWS = 20
# Forks, groups of processes and mounts are as Linux has them.
collect_ignore_glob = [] if sys.platform == "linux" else ["test_*.py"]


@dataclass(frozen=True)
class Inputs:
    """What commands read.

    Attributes:
        root: a folder with all of them.
        table: a table with a column of each type, with holes, and the folder of its files.
        flow: a model of it, by latent-flow.
        vae: another, by mvtcae.
    """

    root: Path
    table: Path
    flow: Path
    vae: Path


@pytest.fixture(scope="session")
def server() -> Iterator[ForkServer]:
    with ForkServer() as server:
        yield server


@pytest.fixture(scope="session")
def inputs(server: ForkServer, tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    root, temporary = tmp_path_factory.mktemp("inputs"), tmp_path_factory.mktemp("temporary")
    made = Inputs(root, root / "table", root / "flow", root / "vae")
    write_five_columns(made.table)
    for model, method in ((made.flow, "latent-flow"), (made.vae, "mvtcae")):
        run = server.run(
            ["fit", "table", "-o", model.name, "--epochs", 1, "--method", method], root, temporary
        )
        assert run.code == 0, run.stderr
    return made


def write_five_columns(folder: Path) -> None:
    """Write a table with a column of each type, and its files."""
    rng = np.random.default_rng(0)
    for name in ("image", "audio"):
        (folder / name).mkdir(parents=True)
    for row in range(ROWS):
        Image.fromarray(rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)).save(folder / f"image/{row}.png")
        soundfile.write(folder / f"audio/{row}.wav", tone(200 + 20 * row, 0.1), 8_000)
    frame = pd.DataFrame(
        {
            "image": [f"image/{row}.png" for row in range(ROWS)],
            "audio": [f"audio/{row}.wav" for row in range(ROWS)],
            "number": rng.normal(170, 10, ROWS).round(2),
            "category": [("red", "green")[row % 2] for row in range(ROWS)],
            "text": [f"the {('cat', 'dog')[row % 2]} sees {row} hens" for row in range(ROWS)],
        }
    )
    frame.mask(rng.random(frame.shape) < 0.1).to_csv(folder / "metadata.csv", index=False)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show what the kills of each command came to."""
    ended = [
        dict(report.user_properties)
        for outcome in ("passed", "failed")
        for report in terminalreporter.getreports(outcome)
        if report.when == "call" and "kills" in dict(report.user_properties)
    ]
    if not ended:
        return
    table = pd.DataFrame(ended).set_index("command").sort_index()
    table.loc["all"] = table.sum()
    terminalreporter.write_line(table.to_string())
