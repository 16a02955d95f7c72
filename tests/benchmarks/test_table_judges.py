"""Judges on small tables of drawn shapes and tones, which they can learn in seconds."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import pytest

from amodal.media import Sound, write_image, write_sound
from benchmarks.judges import WORDS
from benchmarks.real_table import RealTable
from benchmarks.table_judges import JUDGES, DigitsJudge, EmojiJudge, OrchestraJudge

HELDOUT = 60


class Draws:
    """Stands for a fitted model: what it draws for a row is a function of the row's number."""

    def __init__(self, **columns: Callable[[int], Any]) -> None:
        self.columns = columns

    def cells(
        self, given: Sequence[str], targets: Sequence[str], *, rows: np.ndarray, seed: int
    ) -> dict[str, list[Any]]:
        assert not set(given) & set(targets)
        return {name: [self.columns[name](row) for row in np.flatnonzero(rows)] for name in targets}


def quadrant(digit: int, noise: np.random.Generator) -> np.ndarray:
    picture = noise.integers(0, 40, (28, 28)).astype(np.uint8)
    top, left = 14 * (digit // 2), 14 * (digit % 2)
    picture[top + 3 : top + 11, left + 3 : left + 11] = 230
    return picture


def tone(hertz: float, seconds: float = 0.4, rate: int = 8000, overtones: int = 1) -> Sound:
    turns = np.arange(int(seconds * rate)) / rate * hertz
    samples = sum(np.sin(2 * np.pi * (n + 1) * turns) / (n + 1) for n in range(overtones))
    return Sound((0.4 * samples).astype(np.float32), rate)


def table_of(folder: Path, name: str, rows: dict[str, pd.DataFrame]) -> RealTable:
    for part, frame in rows.items():
        frame.to_csv(folder / name / f"{part}.csv", index=False)
    return RealTable.read(name, folder, folder)


@pytest.fixture
def digits(tmp_path: Path) -> tuple[RealTable, np.ndarray]:
    place, noise = tmp_path / "digits", np.random.default_rng(0)
    rows, labels = {}, {}
    for part, count in (("metadata", 160), ("heldout", HELDOUT)):
        labels[part] = noise.integers(0, 4, count)
        for row, digit in enumerate(labels[part]):
            write_image(place / f"{part}{row}.png", quadrant(digit, noise))
            write_sound(place / f"{part}{row}.wav", tone(400 + 700 * digit).samples, 8000)
        rows[part] = pd.DataFrame(
            {
                "image": [f"{part}{row}.png" for row in range(count)],
                "speech": [f"{part}{row}.wav" for row in range(count)],
                "phrase": [f"it says {WORDS[digit]}" for digit in labels[part]],
                "speaker": "me",
                "seconds": "0.4",
            }
        )
    for part, name in (("metadata", "train"), ("heldout", "heldout")):
        pd.DataFrame({"digit": labels[part]}).to_csv(place / f"{name}_labels.csv", index=False)
    return table_of(tmp_path, "digits", rows), labels["heldout"]


def test_draws_of_the_right_digit_get_full_marks_and_of_another_none(
    digits: tuple[RealTable, np.ndarray],
) -> None:
    table, truth = digits
    judge = DigitsJudge(table, judged=40)

    def draws(of: Callable[[int], int]) -> Draws:
        return Draws(
            image=lambda row: quadrant(of(truth[row]), np.random.default_rng(row))[:, :, None],
            speech=lambda row: tone(400 + 700 * of(truth[row])),
            phrase=lambda row: WORDS[of(truth[row])],
        )

    right = judge.judge(draws(lambda digit: digit), seed=0)
    assert right["one given"] == right["two given"] == right["worst pair"] == right["whole rows"] == 1
    assert len(right["pairs"]) == 9
    assert "speech > phrase" in right["pairs"]
    wrong = judge.judge(draws(lambda digit: (digit + 1) % 4), seed=7)
    assert wrong["one given"] == wrong["two given"] == 0
    # All say the same digit, though not the row's.
    assert wrong["whole rows"] == 1
    sheets = {path.name for path in (table.folder / "sheets").glob("*.png")}
    assert {"image-given-phrase-0.png", "speech-whole-rows-7.png"} <= sheets


def test_a_judge_that_is_often_wrong_on_real_cells_ends_the_run(
    digits: tuple[RealTable, np.ndarray],
) -> None:
    table, truth = digits
    pd.DataFrame({"digit": (truth + 1) % 4}).to_csv(table.folder / "heldout_labels.csv", index=False)
    with pytest.raises(SystemExit) as ended:
        DigitsJudge(table)
    assert "right on less than 95%" in str(ended.value.code)


def test_pictures_are_judged_by_category_sharpness_and_likeness(tmp_path: Path) -> None:
    place, noise, rows, made = tmp_path / "emoji", np.random.default_rng(0), {}, {}
    for part, count in (("metadata", 80), ("heldout", HELDOUT)):
        labels, made[part] = noise.integers(0, 2, count), []
        for row, label in enumerate(labels):
            picture, (x, y) = np.full((64, 64, 3), 255, np.uint8), noise.integers(24, 40, 2).tolist()
            colour = noise.integers(0, 120, 3).tolist()
            if label:
                cv2.circle(picture, (x, y), 16, colour, -1)
            else:
                for line in range(0, 64, 8):
                    cv2.line(picture, (0, line + y % 8), (63, line + y % 8), colour, 2)
            write_image(place / f"{part}{row}.png", picture)
            made[part].append(picture)
        rows[part] = pd.DataFrame(
            {
                "picture": [f"{part}{row}.png" for row in range(count)],
                "name": "a",
                "category": np.where(labels, "Disc", "Stripes"),
                "subcategory": "b",
                "added_in": "1.0",
            }
        )
    judge = EmojiJudge(table_of(tmp_path, "emoji", rows))
    assert judge.accuracy > 0.9
    # Their mirror images, so that no picture is among both real and drawn ones.
    good = judge.judge(Draws(picture=lambda row: made["heldout"][row][::-1].copy()), seed=0)
    assert good["category shown, over real"] > 0.9
    assert good["sharpness over real"] == pytest.approx(1, abs=0.02)
    assert good["detection AUC"] < 0.75
    cloudy = judge.judge(Draws(picture=lambda row: cv2.GaussianBlur(made["heldout"][row], (0, 0), 4)), seed=0)
    assert cloudy["sharpness over real"] < 0.2
    assert cloudy["detection AUC"] > 0.95
    again = EmojiJudge(judge.table)
    assert again.accuracy == judge.accuracy


def test_notes_are_judged_by_pitch_and_instrument(tmp_path: Path) -> None:
    place, noise, rows = tmp_path / "orchestra", np.random.default_rng(0), {}

    def note(midi: int, instrument: int) -> Sound:
        return tone(440 * 2 ** ((midi - 69) / 12), 0.3, 16_000, 8 if instrument else 1)

    place.mkdir()
    for part, count in (("metadata", 60), ("heldout", 12)):
        midi, instrument = noise.integers(50, 70, count), noise.integers(0, 2, count)
        for row in range(count):
            write_sound(place / f"{part}{row}.wav", note(midi[row], instrument[row]).samples, 16_000)
        rows[part] = pd.DataFrame(
            {
                "sound": [f"{part}{row}.wav" for row in range(count)],
                "midi": midi,
                "instrument": np.where(instrument, "reed", "flute"),
            }
        )
    judge = OrchestraJudge(table_of(tmp_path, "orchestra", rows))
    good = judge.judge(Draws(sound=lambda row: note(midi[row], instrument[row])), seed=0)
    assert good["in tune, real"] == good["in tune, generated, where real is"] == 1
    assert good["instrument heard, real"] == good["instrument heard, over real"] == 1
    wrong = judge.judge(Draws(sound=lambda row: note(midi[row] + 1, 1 - instrument[row])), seed=0)
    assert wrong["in tune, generated, where real is"] == 0
    assert wrong["instrument heard, generated"] < 0.2


def test_each_judge_is_of_a_table_that_is_known() -> None:
    from benchmarks.real_table import KINDS

    assert set(JUDGES) <= set(KINDS)
