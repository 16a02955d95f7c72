"""Pictures and sounds of every kind in one column."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
from PIL import Image

from amodal.errors import BadCells, DataError
from amodal.modalities import AudioMel, ImagePixels


def test_pictures_of_every_mode_become_one_size(tmp_path: Path) -> None:
    for mode in ("L", "RGB", "RGBA", "LA", "P", "1", "I;16"):
        Image.fromarray(np.full((30, 40), 100, np.uint8)).convert("L" if mode == "I;16" else mode).save(
            tmp_path / f"{mode.replace(';', '')}.png"
        )
    Image.fromarray(np.zeros((30, 40, 4), np.uint8), "CMYK").save(tmp_path / "CMYK.jpg")
    cells = pd.Series(sorted(path.name for path in tmp_path.iterdir()))
    fitted = ImagePixels.fit(cells, tmp_path)
    assert fitted.to_tensor(cells, tmp_path).shape == (len(cells), fitted.channels, 30, 40)


def test_size_and_colour_come_from_the_column(tmp_path: Path) -> None:
    Image.new("RGB", (300, 200), (90, 90, 90)).save(tmp_path / "grey.png")
    fitted = ImagePixels.fit(pd.Series(["grey.png"]), tmp_path)
    assert (fitted.height, fitted.width, fitted.channels) == (43, 64, 1)
    Image.new("RGB", (300, 200), (200, 40, 0)).save(tmp_path / "red.png")
    assert ImagePixels.fit(pd.Series(["red.png"]), tmp_path, height=128).to_dict() == {
        "height": 128,
        "width": 64,
        "channels": 3,
    }


def test_bad_pictures_are_named_and_told_apart(tmp_path: Path) -> None:
    Image.effect_noise((40, 40), 90).save(tmp_path / "whole.png")
    (tmp_path / "half.png").write_bytes((tmp_path / "whole.png").read_bytes()[:700])
    (tmp_path / "note.png").write_text("not a picture")
    cells = pd.Series(["whole.png", "half.png", "note.png", "gone.png", "../whole.png", "/etc/hosts"])
    with pytest.raises(BadCells) as caught:
        ImagePixels.fit(cells, tmp_path).to_tensor(cells, tmp_path)
    assert sorted(caught.value.reasons) == [1, 2, 3, 4, 5]
    assert len(set(caught.value.reasons.values())) == 5


def test_paths_that_lead_nowhere_are_no_texts(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="--media-root"):
        ImagePixels.detect(pd.Series([f"pictures/{n}.jpg" for n in range(5)]), tmp_path)


def tone(seconds: float, rate: int, channels: int = 1) -> np.ndarray:
    wave = 0.5 * np.sin(2 * np.pi * 440 * np.arange(int(seconds * rate)) / rate)
    return np.repeat(wave[:, None], channels, 1)


def test_another_rate_and_stereo_are_the_same_sound(tmp_path: Path) -> None:
    for n in range(3):
        soundfile.write(tmp_path / f"{n}.wav", tone(0.5, 8000), 8000)
    soundfile.write(tmp_path / "cd.wav", tone(0.5, 44100, channels=2), 44100)
    cells = pd.Series(["0.wav", "1.wav", "2.wav", "cd.wav"])
    fitted = AudioMel.fit(cells, tmp_path)
    assert fitted.rate == 8000
    tensor = fitted.to_tensor(cells, tmp_path).float()
    inner = slice(3, 28)
    assert (tensor[0, :, inner] - tensor[3, :, inner]).abs().mean() < 0.05


def test_lengths_differ_and_come_back(tmp_path: Path) -> None:
    seconds = [0.2, 0.5, 1.0]
    for length in seconds:
        soundfile.write(tmp_path / f"{length}.wav", tone(length, 8000), 8000)
    cells = pd.Series([f"{length}.wav" for length in seconds])
    fitted = AudioMel.fit(cells, tmp_path)
    back = fitted.to_cells(fitted.scale(fitted.to_tensor(cells, tmp_path)))
    assert [sound.seconds for sound in back] == pytest.approx(seconds, abs=0.04)


def test_silence_is_a_sound_and_nothing_is_none(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "silence.wav", np.zeros(4000), 8000)
    soundfile.write(tmp_path / "one.wav", np.zeros(1), 8000)
    soundfile.write(tmp_path / "none.wav", np.zeros(0), 8000)
    (tmp_path / "text.wav").write_text("RIFF of a kind")
    cells = pd.Series(["silence.wav", "one.wav", "none.wav", "text.wav"])
    fitted = AudioMel.fit(cells, tmp_path)
    with pytest.raises(BadCells) as caught:
        fitted.to_tensor(cells, tmp_path)
    assert sorted(caught.value.reasons) == [1, 2, 3]
    tensor = fitted.to_tensor(cells.iloc[:1], tmp_path)
    assert tensor.isfinite().all()
    assert fitted.to_cells(fitted.scale(tensor))[0].seconds == pytest.approx(0.5, abs=0.04)
