from __future__ import annotations

import warnings
from pathlib import Path

import librosa
import numpy as np
import pandas as pd
import pytest
import soundfile
import torch
from sklearn.preprocessing import StandardScaler

from amodal.errors import BadCells
from amodal.modalities import AudioMfcc


def tone(hertz: float, seconds: float, rate: int) -> np.ndarray:
    return 0.5 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)


def chirp(seconds: float, rate: int) -> np.ndarray:
    return 0.5 * librosa.chirp(fmin=100, fmax=0.4 * rate, sr=rate, duration=seconds)


def saved(folder: Path, rate: int = 8_000, **sounds: np.ndarray) -> pd.Series:
    for name, samples in sounds.items():
        soundfile.write(folder / f"{name}.wav", samples, rate)
    return pd.Series([f"{name}.wav" for name in sounds])


def by_librosa(path: Path, modality: AudioMfcc) -> np.ndarray:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        samples, rate = librosa.load(path, sr=modality.rate)
        return librosa.feature.mfcc(
            y=samples,
            sr=rate,
            n_mfcc=40,
            n_fft=modality.n_fft,
            hop_length=modality.hop,
            n_mels=modality.mels,
        )


@pytest.mark.parametrize("rate", [4_000, 8_000, 16_000, 44_100])
def test_features_are_those_of_librosa_and_scikit_learn(rate: int, tmp_path: Path) -> None:
    noise = np.random.default_rng(0).normal(size=rate // 2) * 0.1
    cells = saved(tmp_path, rate, a=chirp(0.6, rate), b=noise, c=np.zeros(rate // 5), d=tone(300, 0.01, rate))
    modality = AudioMfcc.fit(cells, tmp_path)
    expected = [by_librosa(tmp_path / cell, modality) for cell in cells]
    scaler = StandardScaler().fit(np.concatenate(expected, axis=1).T)
    tensor = modality.to_tensor(cells, tmp_path)
    vectors = modality.refit(tensor).features(tensor).view(4, 40, -1).numpy()
    for vector, coefficients in zip(vectors, expected, strict=True):
        frames = coefficients.shape[1]
        np.testing.assert_allclose(vector[:, :frames].T, scaler.transform(coefficients.T), atol=1e-5)
        assert (vector[:, frames:] == 0).all()


def test_a_few_sounds_stand_for_many_until_all_are_there(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    sounds = {f"s{number}": rng.normal(size=300) * rng.uniform(0.01, 0.3) for number in range(600)}
    cells = saved(tmp_path, **sounds)
    modality = AudioMfcc.fit(cells, tmp_path)
    tensor = modality.to_tensor(cells, tmp_path)
    refitted = modality.refit(tensor)
    frames = np.concatenate([by_librosa(tmp_path / cell, modality) for cell in cells], axis=1)
    np.testing.assert_allclose(refitted.mean, frames.mean(axis=1), rtol=1e-4, atol=1e-3)
    assert refitted.mean != modality.mean
    np.testing.assert_allclose(modality.mean, refitted.mean, atol=0.2 * max(refitted.std))
    assert modality.refit(tensor[:0]) == modality


def test_networks_read_standardised_coefficients_and_where_a_sound_ends(tmp_path: Path) -> None:
    cells = saved(tmp_path, a=chirp(0.5, 8_000), b=chirp(0.2, 8_000))
    modality = AudioMfcc.fit(cells, tmp_path)
    scaled = modality.scale(modality.to_tensor(cells, tmp_path))
    lasts = scaled[:, -1] > 0
    assert lasts.sum(1).tolist() == [1 + 4_000 // modality.hop, 1 + 1_600 // modality.hop]
    coefficients = scaled[:, :-1].transpose(1, 2)
    torch.testing.assert_close(coefficients[lasts].mean(0), torch.zeros(40), atol=1e-4, rtol=0)
    torch.testing.assert_close(coefficients[lasts].std(0, correction=0), torch.ones(40), atol=1e-3, rtol=0)
    assert (coefficients[~lasts] == 0).all()
    assert (scaled[:, -1][~lasts] == -1).all()


def test_only_silence_has_no_nan_and_comes_back_silent(tmp_path: Path) -> None:
    cells = saved(tmp_path, a=np.zeros(4_000), b=np.zeros(2_000))
    modality = AudioMfcc.fit(cells, tmp_path)
    tensor = modality.to_tensor(cells, tmp_path)
    assert modality.scale(tensor).isfinite().all()
    assert modality.features(tensor).isfinite().all()
    silent = modality.to_cells(modality.scale(tensor))
    assert all(np.abs(sound.samples).max() < 1 / 65_536 for sound in silent)
    assert abs(len(silent[0].samples) - 4_000) <= modality.hop


def test_silence_among_sounds_is_finite(tmp_path: Path) -> None:
    cells = saved(tmp_path, a=np.zeros(4_000), b=chirp(0.5, 8_000))
    modality = AudioMfcc.fit(cells, tmp_path)
    tensor = modality.to_tensor(cells, tmp_path)
    assert modality.scale(tensor).isfinite().all()
    assert modality.features(tensor).isfinite().all()


@pytest.mark.parametrize("samples", [2, 50, 255])
def test_a_sound_shorter_than_a_frame_is_a_sound(samples: int, tmp_path: Path) -> None:
    short = tone(500, 1.0, 8_000)[1 : samples + 1]
    cells = saved(tmp_path, a=short, b=short)
    modality = AudioMfcc.fit(cells, tmp_path)
    tensor = modality.to_tensor(cells, tmp_path)
    assert modality.scale(tensor).isfinite().all()
    (sound, _) = modality.to_cells(modality.scale(tensor))
    assert 0 < len(sound.samples) <= 2 * modality.n_fft
    assert np.isfinite(sound.samples).all()


@pytest.mark.parametrize("seconds", [0.1, 0.35, 0.8, 1.5])
def test_each_sound_keeps_its_length(seconds: float, tmp_path: Path) -> None:
    cells = saved(tmp_path, a=tone(500, seconds, 8_000), b=tone(500, 1.5, 8_000))
    modality = AudioMfcc.fit(cells, tmp_path)
    sound = modality.to_cells(modality.scale(modality.to_tensor(cells.iloc[:1], tmp_path)))[0]
    assert sound.rate == 8_000
    assert abs(len(sound.samples) - seconds * 8_000) <= modality.hop


def test_the_resynthesised_tone_has_its_pitch_and_is_the_same_each_time(tmp_path: Path) -> None:
    cells = saved(tmp_path, a=tone(1_000, 0.6, 8_000))
    modality = AudioMfcc.fit(cells, tmp_path)
    tensor = modality.scale(modality.to_tensor(cells, tmp_path))
    one, other = (modality.to_cells(tensor)[0].samples for _ in range(2))
    np.testing.assert_array_equal(one, other)
    spectrum = np.abs(np.fft.rfft(one))
    assert abs(np.fft.rfftfreq(len(one), 1 / 8_000)[spectrum.argmax()] - 1_000) < 60


def test_a_longer_sound_is_cut_at_the_limit(tmp_path: Path) -> None:
    modality = AudioMfcc.fit(saved(tmp_path, a=tone(500, 0.5, 8_000)), tmp_path)
    longer = modality.to_tensor(saved(tmp_path, b=tone(500, 3.0, 8_000)), tmp_path)
    assert tuple(longer.shape) == (1, *modality.shape)
    assert (longer[0, -1] > 0).all()


@pytest.mark.parametrize("wild", [-50.0, 50.0, 1e6])
def test_wild_draws_are_still_sounds(wild: float, tmp_path: Path) -> None:
    modality = AudioMfcc.fit(saved(tmp_path, a=chirp(0.5, 8_000)), tmp_path)
    (sound,) = modality.to_cells(torch.full((1, *modality.shape), wild))
    assert len(sound.samples) > 0
    assert np.abs(sound.samples).max() <= 1


def test_a_file_that_is_no_sound_is_a_bad_cell(tmp_path: Path) -> None:
    modality = AudioMfcc.fit(saved(tmp_path, fine=tone(500, 0.5, 8_000)), tmp_path)
    (tmp_path / "words.wav").write_text("no sound at all")
    with pytest.raises(BadCells) as caught:
        modality.to_tensor(pd.Series(["fine.wav", "words.wav", "gone.wav"]), tmp_path)
    assert sorted(caught.value.reasons) == [1, 2]
