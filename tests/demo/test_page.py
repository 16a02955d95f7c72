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
    # As tables are written: the files once more, for `datasets`.
    frame = pd.DataFrame(rows, columns=COLUMNS).assign(image_file_name=[row[0] for row in rows])
    frame.to_csv(folder / name, index=False)


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


def cells(page: str, section: str) -> list[tuple[str, str]]:
    """Mark and kind of each cell of a section; the mark is read where the user reads it."""
    inside = page.split(f'<section id="{section}">')[1].split("</section>")[0]
    return re.findall(r'<div class="cell \w+ (\w+)">\s*<dt>\w+ <span class="role">(\w+)</span>', inside)


def test_files_are_in_the_page_itself(page: str, tmp_path: Path) -> None:
    for kind, path in (("image/png", "generated/image/1.png"), ("audio/wav", "generated/speech/1.wav")):
        inline = [base64.b64decode(found) for found in re.findall(rf"data:{kind};base64,([^\"]+)", page)]
        assert (tmp_path / path).read_bytes() in inline
    assert not re.search(r"""(src|href)=["']?(?!data:|#|["'])""", page)
    assert "url(" not in page


def test_columns_for_other_readers_are_left_out(page: str) -> None:
    assert "image_file_name" not in page


def test_texts_cannot_run(page: str) -> None:
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_filled_cells_say_whether_they_were_given(page: str) -> None:
    assert cells(page, "filled") == [
        ("image", "given"),
        ("audio", "drawn"),
        ("text", "drawn"),
        ("text", "given"),
    ]


def test_translations_stand_beside_the_real_cell(page: str) -> None:
    assert cells(page, "from-image") == [
        ("image", "given"),
        ("audio", "drawn"),
        ("audio", "real"),
    ]


def test_pictures_and_players_have_words(page: str) -> None:
    media = re.findall(r"<(?:img|audio)[^>]*>", page)
    assert media
    assert all(re.search(r'(?:alt|aria-label)="\w+ of row 1, (?:given|drawn|real)"', tag) for tag in media)


def test_how_it_was_made_is_told(page: str) -> None:
    how = page.split('<section id="how">')[1]
    assert "amodal fit &lt;table&gt;" in how
    assert "3 epochs in 3 s" in how
    # The first epochs lie above the box and are cut at its top.
    assert re.findall(r'points="([^"]+)"', how) == [
        "0.0,0.0 300.0,0.0 600.0,160.0",
        "0.0,0.0 300.0,0.0 600.0,0.0",
    ]


def test_a_page_needs_no_history(page: str, tmp_path: Path) -> None:
    (tmp_path / "model" / "history.csv").unlink()
    assert "<svg" not in write_page(tmp_path).read_text(encoding="utf-8")
