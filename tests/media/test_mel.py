import librosa
import numpy as np
import pytest
from numpy.typing import NDArray

from amodal.media import from_log_mel, log_mel
from amodal.media.mel import mel_power

RATE, N_FFT, HOP, MELS = 8000, 512, 128, 64


def seen(samples: NDArray[np.floating], rate: int = RATE) -> NDArray[np.float32]:
    return log_mel(samples, rate, target_rate=RATE, n_fft=N_FFT, hop=HOP, mels=MELS)


def heard(mel: NDArray[np.floating], seed: int = 0) -> NDArray[np.float32]:
    return from_log_mel(mel, rate=RATE, n_fft=N_FFT, hop=HOP, seed=seed)


def tone(frequency: float = 440, rate: int = RATE) -> NDArray[np.float64]:
    return np.sin(2 * np.pi * frequency * np.arange(rate) / rate)


def chirp() -> NDArray[np.float64]:
    time = np.arange(RATE) / RATE
    return np.sin(2 * np.pi * (200 * time + 1400 * time**2))  # 200 to 3,000 Hz


@pytest.mark.parametrize("length", [8000, 7999, 600, 512])
def test_power_is_that_of_librosa(length: int) -> None:
    samples = np.random.default_rng(0).normal(size=length).astype(np.float32)
    expected = librosa.feature.melspectrogram(
        y=samples, sr=RATE, n_fft=N_FFT, hop_length=HOP, n_mels=MELS, norm=None
    )
    np.testing.assert_allclose(mel_power(samples, RATE, N_FFT, HOP, MELS), expected, rtol=1e-5)


@pytest.mark.parametrize("length", [2, 100, 128, 300, 511])
def test_a_sound_shorter_than_a_frame_is_one_with_silence_behind(length: int) -> None:
    samples = tone()[:length]
    mel = seen(samples)
    assert mel.shape == (MELS, 1 + length // HOP)
    np.testing.assert_allclose(mel, seen(np.pad(samples, (0, 2000)))[:, : mel.shape[1]], atol=1e-6)
    assert np.isfinite(heard(mel)).all()
    assert mel.max() > 0.3


def test_loudness_is_absolute() -> None:
    loud, quiet = seen(tone()), seen(tone() / 10)
    assert loud.max() > 0.98
    np.testing.assert_allclose(loud.max() - quiet.max(), 20 / 80, atol=0.03)
    half, quarter = seen(tone() / 2), seen(tone() / 4)
    inner = quarter > 0.01
    np.testing.assert_allclose((half - quarter)[inner], 6.02 / 80, atol=1e-3)


def test_silence_is_zero_and_comes_back_as_silence() -> None:
    silence = seen(np.zeros(4000))
    assert not silence.any()
    assert silence.dtype == np.float32
    assert len(heard(silence)) == 3968
    assert not heard(silence).any()


def test_values_lie_between_zero_and_one() -> None:
    for samples in (10 * chirp(), np.random.default_rng(0).normal(size=4000), np.eye(1, 4000)[0]):
        mel = seen(samples)
        assert np.isfinite(mel).all()
        assert mel.min() >= 0
        assert mel.max() <= 1


def test_a_higher_tone_lies_in_a_higher_band() -> None:
    bands = [int(seen(tone(frequency)).mean(axis=1).argmax()) for frequency in (200, 440, 1000, 2500)]
    assert bands == sorted(set(bands))


def test_the_sampling_rate_does_not_matter() -> None:
    inner = np.s_[:, 5:-5]
    np.testing.assert_allclose(
        seen(0.5 * tone(rate=44_100), 44_100)[inner], seen(0.5 * tone())[inner], atol=0.05
    )


@pytest.mark.parametrize("samples", [0.5 * tone(), 0.02 * tone(1500), 0.3 * chirp(), 0.01 * chirp()])
def test_a_sound_comes_back_alike(samples: NDArray[np.float64]) -> None:
    mel = seen(samples)
    again = heard(mel)
    assert len(again) == HOP * (mel.shape[1] - 1)
    loudness = 20 * np.log10(np.sqrt(np.mean(again**2)) / np.sqrt(np.mean(samples**2)))
    assert abs(loudness) < 0.5
    # 80 dB are 1: the loudest 20 within 2 dB on average, all within 4.
    error = np.abs(seen(again) - mel)
    assert error[mel > mel.max() - 0.25].mean() < 2 / 80
    assert error.mean() < 4 / 80


def test_a_sound_comes_back_the_same_for_the_same_seed() -> None:
    mel = seen(0.3 * chirp())
    np.testing.assert_array_equal(heard(mel), heard(mel))
    assert not np.array_equal(heard(mel), heard(mel, seed=1))


def test_whatever_is_drawn_can_be_heard() -> None:
    generator = np.random.default_rng(0)
    for mel in (
        generator.random((MELS, 20)),
        np.ones((MELS, 20)),
        generator.normal(size=(MELS, 3)),
        np.ones((MELS, 1)),
    ):
        samples = heard(mel)
        assert np.isfinite(samples).all()
        assert 0 < np.abs(samples).max() <= 1
    with pytest.raises(ValueError, match="finite"):
        heard(np.full((MELS, 3), np.nan))


def test_too_many_bands_are_refused() -> None:
    with pytest.raises(ValueError, match="128 bands are too many for frames of 128 samples at 8000 Hz"):
        log_mel(tone(), RATE, target_rate=RATE, n_fft=128, hop=64, mels=128)
