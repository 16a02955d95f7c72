from __future__ import annotations

from pathlib import Path

import pytest

from amodal import TableModel
from amodal.datasets.digits import make_digits


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
