from __future__ import annotations

import base64
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from amodal.demo.page import Step, write_page
from amodal.media import write_image, write_sound

COLUMNS = ["image", "speech", "caption", "digit"]


def table(folder: Path, *rows: list[str | None], name: str = "metadata.csv") -> None:
    (folder / "image").mkdir(parents=True, exist_ok=True)
    (folder / "speech").mkdir(exist_ok=True)
    for number, row in enumerate(rows):
        if row[0]:
            write_image(folder / row[0], np.full((28, 28), 10 * number, np.uint8))
        if row[1]:
            write_sound(folder / row[1], np.sin(np.arange(800) / (3 + number)).astype(np.float32), 8000)
    pd.DataFrame(rows, columns=COLUMNS).to_csv(folder / name, index=False)


@pytest.fixture
def page(tmp_path: Path) -> str:
    row = ["image/1.png", "speech/1.wav", "a <script>alert(1)</script> seven", "7"]
    table(tmp_path / "table", ["image/1.png", None, None, "7"], name="holes.csv")
    table(tmp_path / "table", row, name="whole.csv")
    for name in ("generated", "filled", "from-caption", "from-image"):
        table(tmp_path / name, row)
    (tmp_path / "model").mkdir()
    losses = pd.DataFrame({"epoch": [1, 2, 3], "seconds": [1.0, 2.0, 3.0]})
    losses.assign(train_loss=[9.0, 5.0, 4.0], val_loss=[9.5, 6.0, 5.0]).to_csv(
        tmp_path / "model" / "history.csv", index=False
    )
    return write_page(tmp_path, [Step("amodal fit <table>", 3.0)]).read_text(encoding="utf-8")


def test_files_are_in_the_page_itself(page: str, tmp_path: Path) -> None:
    for kind, path in (("image/png", "generated/image/1.png"), ("audio/wav", "generated/speech/1.wav")):
        inline = [base64.b64decode(found) for found in re.findall(rf"data:{kind};base64,([^\"]+)", page)]
        assert (tmp_path / path).read_bytes() in inline
    assert not re.search(r"""(src|href)=["']?(https?:)?//""", page)


def test_texts_cannot_run(page: str) -> None:
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_filled_cells_say_whether_they_were_given(page: str) -> None:
    filled = page.split("<h2>Holes filled</h2>")[1].split("<h2>")[0]
    assert re.findall(r'class="cell (\w+) (\w+)"', filled) == [
        ("given", "image"),
        ("drawn", "audio"),
        ("drawn", "text"),
        ("given", "text"),
    ]


def test_translations_stand_beside_the_real_cell(page: str) -> None:
    spoken = page.split("<h2>From a picture: speech</h2>")[1].split("<h2>")[0]
    assert re.findall(r'class="cell (\w+) (\w+)"', spoken) == [
        ("given", "image"),
        ("drawn", "audio"),
        ("real", "audio"),
    ]
