import numpy as np
import pytest
import torch

from amodal.media import Sound
from benchmarks.closeness import closeness
from benchmarks.coherence import GIVEN, PAIRS, completions, conditional, means, whole_rows
from benchmarks.judges import WORDS, Judges, _picture_judge, _speech_judge

ROWS = 40


class Reads(Judges):
    """Knows a picture's digit by its first pixel, and a sound's by its first sample."""

    def __init__(self) -> None:
        torch.manual_seed(0)
        super().__init__(_picture_judge(), _speech_judge())

    def __call__(self, column: str, cells: list) -> np.ndarray:
        if column == "image":
            return np.array([cell[0, 0, 0] for cell in cells])
        if column == "speech":
            return np.array([round(float(cell.samples[0])) for cell in cells])
        return super().__call__(column, cells)


def of_digits(digits: np.ndarray) -> dict[str, list]:
    generator = np.random.default_rng(0)
    pictures = generator.integers(0, 256, (len(digits), 28, 28, 1), dtype=np.uint8)
    pictures[:, 0, 0, 0] = digits
    noise = generator.normal(0, 0.1, (len(digits), 4000)).astype(np.float32)
    noise[:, 0] = digits
    return {
        "image": list(pictures),
        "speech": [Sound(samples, 8000) for samples in noise],
        "caption": [f"a thick {WORDS[digit]}" for digit in digits],
        "digit": digits.tolist(),
    }


def test_each_judged_column_is_drawn_from_each_other_and_the_third_from_two() -> None:
    asked = []
    completions(lambda given, targets: asked.append((tuple(given), tuple(targets))) or {})
    assert [given for given, _ in asked] == [*GIVEN, *PAIRS]
    assert all(not set(given) & set(targets) for given, targets in asked)
    assert sum(len(targets) for _, targets in asked) == 4 * 3 + 3


def test_shares_count_the_rows_whose_digit_is_drawn() -> None:
    truth = np.arange(ROWS) % 10
    wrong = np.where(np.arange(ROWS) < ROWS // 4, (truth + 1) % 10, truth)
    right_cells, wrong_cells = of_digits(truth), of_digits(wrong)

    def complete(given: tuple[str, ...], targets: list[str]) -> dict[str, list]:
        cells = wrong_cells if len(given) == 2 else right_cells
        return {target: cells[target] for target in targets}

    shares = conditional(completions(complete), Reads(), truth)
    assert shares["image+speech > caption"] == 0.75
    assert means(shares) == {"one given": 1.0, "one given, digit too": 1.0, "two given": 0.75}


def test_whole_rows_agree_with_themselves_and_with_their_digit() -> None:
    truth = np.arange(ROWS) % 10
    cells = of_digits(truth)
    cells["digit"] = [(digit + 1) % 10 for digit in truth[: ROWS // 2]] + truth[ROWS // 2 :].tolist()
    agree = whole_rows(cells, Reads())
    assert agree == {"image = speech = caption": 1.0, "image = speech = caption = digit": 0.5}


def test_real_cells_are_as_close_as_real_halves_and_noise_is_not() -> None:
    real = of_digits(np.arange(ROWS) % 10)
    blank = {
        "image": [np.zeros((28, 28, 1), np.uint8)] * ROWS,
        "speech": [Sound(np.zeros(4000, np.float32), 8000)] * ROWS,
    }
    same = closeness(completions(lambda given, targets: real), real, real, Reads())
    other = closeness(completions(lambda given, targets: blank), blank, real, Reads())
    for column in ("image", "speech"):
        assert same[column]["given"] == pytest.approx(same[column]["real halves"], abs=0.02)
        assert same[column]["whole rows"] == pytest.approx(same[column]["real halves"], abs=0.02)
        assert other[column]["given"] > same[column]["real halves"]
