from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import soundfile
from PIL import Image

from amodal.table import Table, read_table

ROWS = 40


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


def tone(hertz: float, seconds: float, rate: int = 8_000) -> np.ndarray:
    return 0.5 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)
