from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from amodal import TableModel
from amodal.demo import make_digits


@pytest.fixture(scope="session")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo table, small: real pictures and speech, with holes."""
    folder = tmp_path_factory.mktemp("demo") / "digits"
    make_digits(folder, rows=160, seed=3)
    return folder


@pytest.fixture(scope="session")
def fitted(digits: Path) -> TableModel:
    return TableModel(epochs=3, latent=16, random_state=1).fit(digits)


@pytest.fixture(scope="session")
def saved(fitted: TableModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models") / "model"
    fitted.save(folder)
    return folder


@pytest.fixture
def amodal() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run the command line as a user does."""

    def run(*words: object, code: int = 0) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-m", "amodal.cli", *map(str, words)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == code, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done

    return run
