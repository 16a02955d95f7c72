"""Table of handwritten digits with speech, captions and measurements."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from amodal.errors import UsageError
from amodal.files import check_output_folder, output_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from numpy.typing import NDArray

__all__ = ["make_digits"]

_COLUMNS = ("image", "speech", "caption", "thickness", "slant", "seconds", "digit", "voice")
_MOST_ROWS, _HELD_OUT = 4_500, 500
# Purpose of a random generator, part of its seed.
_ORDER, _MISSING, _TRAINING, _HELD_OUT_ROW = range(4)


def make_digits(
    folder: Path,
    rows: int = 2000,
    missing: float = 0.2,
    seed: int = 0,
    *,
    progress: Callable[[float], None] | None = None,
) -> None:
    """Write the table of spoken digits: real handwriting (MNIST), spoken by many voices of eSpeak NG.

    `metadata.csv` has missing cells. `heldout.csv` has 500 complete rows, the same for every `rows`: other
    images, 50 of each digit, and speech at other pitches. Both have the columns

    - `image`: grey PNG of 28 x 28 pixels, as a path relative to the folder;
    - `speech`: WAV at 8 kHz of the spoken digit, as a path relative to the folder;
    - `caption`: a true description of the image;
    - `thickness`: thickness of the image's stroke in pixels;
    - `slant`: slant of the image's stroke in degrees, positive when it leans right;
    - `seconds`: duration of the speech;
    - `digit`: 0 to 9;
    - `voice`: kind of voice: man, woman, elder, whisper or robot.

    A larger table begins with the rows of a smaller one of the same seed. Files of missing cells are not written. An
    interruption leaves no folder behind.

    Args:
        folder: output folder, new or empty.
        rows: number of rows of `metadata.csv`, 1 to 4,500; each has an image of its own.
        missing: fraction of its cells left empty, in [0, 1); each row keeps at least one cell.
        seed: the same seed gives the same files, byte for byte.
        progress: called after each row with the fraction of rows written, up to 1.

    Raises:
        UsageError: an argument is out of range, the folder is not empty, or the extra `demo` is not installed.
    """
    _check(rows, missing, seed)
    check_output_folder(folder, "table", overwrite=None)
    pictures, digits = _shuffled_pictures(seed)
    parts = {"metadata": range(rows), "heldout": range(_MOST_ROWS, _MOST_ROWS + _HELD_OUT)}
    total = rows + _HELD_OUT
    done = 0
    with output_folder(folder, "table", overwrite=None) as new:
        for name, part in parts.items():
            table: list[dict[str, object]] = []
            for row in _rows(pictures[part], digits[part], seed, held_out=name == "heldout"):
                number = len(table)
                hidden = set() if name == "heldout" else _hidden(number, missing, seed)
                stem = f"{number:05d}" if name == "metadata" else f"heldout-{number:05d}"
                table.append(_write_row(new, stem, row, hidden))
                done += 1
                if progress is not None:
                    progress(done / total)
            _write_csv(new / f"{name}.csv", table)


def _check(rows: int, missing: float, seed: int) -> None:
    if not 1 <= rows <= _MOST_ROWS:
        raise UsageError(f"rows must be 1 to {_MOST_ROWS:,}, one for each picture there is, not {rows:,}")
    if not 0 <= missing < 1:
        raise UsageError(f"missing must be 0 or more and below 1, not {missing}")
    if seed < 0:
        raise UsageError(f"seed must be 0 or more, not {seed}")
    if find_spec("mlxtend") is None or find_spec("espeakng_loader") is None:
        raise UsageError("the demo needs more packages: pip install 'amodal[demo]'")


def _shuffled_pictures(seed: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """All 5,000 images and their digits, shuffled so that every ten in turn are the digits 0 to 9."""
    from amodal.datasets.digits.handwriting import handwritten_digits

    generator = np.random.default_rng([seed, _ORDER])
    by_digit = generator.permuted(np.tile(np.arange(500), (10, 1)), axis=1)
    digits = generator.permuted(np.tile(np.arange(10), (500, 1)), axis=1).ravel()
    turn = np.repeat(np.arange(500), 10)
    return handwritten_digits()[digits, by_digit[digits, turn]], digits


def _rows(
    pictures: NDArray[np.uint8], digits: NDArray[np.int64], seed: int, *, held_out: bool
) -> Iterator[dict[str, object]]:
    """Complete rows, with arrays in place of files."""
    from amodal.datasets.digits.captions import WORDS, caption
    from amodal.datasets.digits.handwriting import slant, thickness
    from amodal.datasets.digits.speech import speak
    from amodal.datasets.digits.voices import SPEECH_RATE, choose_utterance, trimmed

    use = _HELD_OUT_ROW if held_out else _TRAINING
    generators = [np.random.default_rng([seed, use, number]) for number in range(len(digits))]
    utterances = [
        choose_utterance(WORDS[digit], held_out, generator)
        for digit, generator in zip(digits, generators, strict=True)
    ]
    spoken = speak([utterance for _, utterance in utterances])
    for picture, digit, (kind, _), samples, generator in zip(
        pictures, digits, utterances, spoken, generators, strict=True
    ):
        speech = trimmed(samples, generator)
        thick, lean = round(thickness(picture), 2), round(slant(picture), 2)
        yield {
            "image": picture,
            "speech": speech,
            "caption": caption(int(digit), thick, lean, generator),
            "thickness": thick,
            "slant": lean,
            "seconds": round(len(speech) / SPEECH_RATE, 3),
            "digit": int(digit),
            "voice": kind,
        }


def _hidden(number: int, missing: float, seed: int) -> set[str]:
    generator = np.random.default_rng([seed, _MISSING, number])
    always_present = generator.integers(len(_COLUMNS))
    hidden = {
        name
        for name, chance in zip(_COLUMNS, generator.random(len(_COLUMNS)), strict=True)
        if chance < missing
    }
    return hidden - {_COLUMNS[always_present]} if len(hidden) == len(_COLUMNS) else hidden


def _write_row(folder: Path, stem: str, row: Mapping[str, object], hidden: set[str]) -> dict[str, object]:
    """Write a row's files and return its cells; a hidden cell is None."""
    from amodal.datasets.digits.voices import SPEECH_RATE
    from amodal.media import write_image, write_sound

    cells = {name: None if name in hidden else value for name, value in row.items()}
    if isinstance(picture := cells["image"], np.ndarray):
        cells["image"] = f"image/{stem}.png"
        write_image(folder / "image" / f"{stem}.png", picture)
    if isinstance(samples := cells["speech"], np.ndarray):
        cells["speech"] = f"speech/{stem}.wav"
        write_sound(folder / "speech" / f"{stem}.wav", samples, SPEECH_RATE)
    return cells


def _write_csv(path: Path, table: list[dict[str, object]]) -> None:
    import pandas as pd

    # With dtype object, or a digit in a column with missing cells would become 7.0.
    pd.DataFrame(table, columns=list(_COLUMNS), dtype=object).to_csv(path, index=False)
