from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
import torch

from amodal.errors import BadCells
from amodal.modalities import AudioMel


def tone(hertz: float, seconds: float, rate: int) -> np.ndarray:
    return 0.5 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)


def saved(folder: Path, **sounds: tuple[np.ndarray, int]) -> pd.Series:
    for name, (samples, rate) in sounds.items():
        soundfile.write(folder / f"{name}.wav", samples, rate)
    return pd.Series([f"{name}.wav" for name in sounds])


def peak(spectrogram: torch.Tensor) -> int:
    return int(spectrogram[:, 3:12].mean(1).argmax())


def test_a_stereo_sound_of_another_rate_is_as_the_others(tmp_path: Path) -> None:
    mono, stereo = tone(800, 0.5, 8_000), tone(800, 0.5, 44_100)
    both = np.stack([stereo, stereo], axis=1)
    cells = saved(tmp_path, a=(mono, 8_000), b=(mono, 8_000), c=(both, 44_100))
    modality = AudioMel.fit(cells, tmp_path)
    assert modality.rate == 8_000
    mel = modality.scale(modality.to_tensor(cells, tmp_path))
    assert abs(peak(mel[2]) - peak(mel[0])) <= 1
    assert (mel[2, peak(mel[0]), 3:12] - mel[0, peak(mel[0]), 3:12]).abs().max() < 0.02
    assert abs(int((mel[2, 0] > -0.25).sum()) - int((mel[0, 0] > -0.25).sum())) <= 1


def test_a_rate_above_sixteen_kilohertz_is_lowered(tmp_path: Path) -> None:
    cells = saved(tmp_path, a=(tone(300, 0.2, 44_100), 44_100))
    assert AudioMel.fit(cells, tmp_path).rate == 16_000


def test_silence_comes_back_silent_and_as_long(tmp_path: Path) -> None:
    cells = saved(tmp_path, a=(np.zeros(4_000), 8_000), b=(tone(300, 1.0, 8_000), 8_000))
    modality = AudioMel.fit(cells, tmp_path)
    silent = modality.to_cells(modality.scale(modality.to_tensor(cells, tmp_path)))[0]
    assert (silent.samples == 0).all()
    assert abs(len(silent.samples) - 4_000) <= 2 * modality.hop


@pytest.mark.parametrize("seconds", [0.1, 0.35, 0.8, 1.5])
def test_each_sound_keeps_its_length(seconds: float, tmp_path: Path) -> None:
    cells = saved(tmp_path, a=(tone(500, seconds, 8_000), 8_000), b=(tone(500, 1.5, 8_000), 8_000))
    modality = AudioMel.fit(cells, tmp_path)
    sound = modality.to_cells(modality.scale(modality.to_tensor(cells.iloc[:1], tmp_path)))[0]
    assert sound.rate == 8_000
    assert abs(len(sound.samples) - seconds * 8_000) <= 2 * modality.hop


def test_a_quiet_end_is_part_of_the_sound(tmp_path: Path) -> None:
    samples = np.concatenate([tone(500, 0.3, 8_000), np.zeros(2_400)])
    cells = saved(tmp_path, a=(samples, 8_000), b=(tone(500, 2.0, 8_000), 8_000))
    modality = AudioMel.fit(cells, tmp_path)
    sound = modality.to_cells(modality.scale(modality.to_tensor(cells, tmp_path)))[0]
    assert abs(len(sound.samples) - len(samples)) <= 2 * modality.hop


def test_the_resynthesised_tone_has_its_pitch(tmp_path: Path) -> None:
    cells = saved(tmp_path, a=(tone(1_000, 0.6, 8_000), 8_000))
    modality = AudioMel.fit(cells, tmp_path)
    sound = modality.to_cells(modality.scale(modality.to_tensor(cells, tmp_path)))[0]
    spectrum = np.abs(np.fft.rfft(sound.samples))
    assert abs(np.fft.rfftfreq(len(sound.samples), 1 / 8_000)[spectrum.argmax()] - 1_000) < 60


def test_a_longer_sound_is_cut_at_the_limit(tmp_path: Path) -> None:
    modality = AudioMel.fit(saved(tmp_path, a=(tone(500, 0.5, 8_000), 8_000)), tmp_path)
    longer = modality.to_tensor(saved(tmp_path, b=(tone(500, 3.0, 8_000), 8_000)), tmp_path)
    assert tuple(longer.shape) == (1, *modality.shape)
    assert (modality.scale(longer)[0, 0] > -0.25).all()


def test_sounds_without_samples_are_bad_cells(tmp_path: Path) -> None:
    modality = AudioMel.fit(saved(tmp_path, fine=(tone(500, 0.5, 8_000), 8_000)), tmp_path)
    saved(tmp_path, one=(np.zeros(1), 8_000), none=(np.zeros(0), 8_000))
    (tmp_path / "words.wav").write_text("no sound at all")
    with pytest.raises(BadCells) as caught:
        modality.to_tensor(pd.Series(["one.wav", "fine.wav", "none.wav", "words.wav"]), tmp_path)
    assert sorted(caught.value.reasons) == [0, 2, 3]


def test_a_draw_that_never_sounds_is_still_a_sound() -> None:
    modality = AudioMel(rate=8_000, frames=10, mels=40, n_fft=256, hop=128)
    (sound,) = modality.to_cells(torch.full((1, 40, 10), -0.1))
    assert len(sound.samples) > 0
    assert np.isfinite(sound.samples).all()
