"""Samples to log-mel spectrograms and back."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING
from warnings import catch_warnings, simplefilter

import numpy as np

from amodal.media.audio import resample

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["from_log_mel", "log_mel"]

FLOOR_DB = -80.0


def log_mel(
    samples: NDArray[np.floating], rate: int, *, target_rate: int, n_fft: int, hop: int, mels: int
) -> NDArray[np.float32]:
    """Mel spectrogram of a sound in decibels relative to a sine of full scale.

    Levels are not relative to the loudest part of the sound, so that a quiet sound stays quiet.

    Args:
        samples: (n,), full scale is -1 to 1; may be shorter than a frame.
        rate: their samples a second, in hertz.
        target_rate: samples a second to resample to first.
        n_fft: samples in a frame, at `target_rate`.
        hop: samples between frames.
        mels: number of bands, spaced evenly in mel from 0 to half of `target_rate`.

    Returns:
        float32 (mels, 1 + n // hop). 0 is -80 dB or less, 1 is 0 dB or more.

    Raises:
        ValueError: the frames are too short to resolve so many bands.

    Example:
        >>> log_mel(np.zeros(8000), 8000, target_rate=8000, n_fft=512, hop=128, mels=40).shape
        (40, 63)
    """
    power = mel_power(resample(samples, rate, target_rate), target_rate, n_fft, hop, mels) * _full_scale(
        n_fft
    )
    decibels = 10 * np.log10(np.maximum(power, 1e-10))
    return np.asarray(np.clip(decibels / -FLOOR_DB + 1, 0, 1), np.float32)


def mel_power(
    samples: NDArray[np.float32], rate: int, n_fft: int, hop: int, mels: int
) -> NDArray[np.float32]:
    """Compute `librosa.feature.melspectrogram` with `norm=None` and cached filters.

    Returns:
        float32 (mels, frames), the power in each band.
    """
    import librosa

    frames = 1 + len(samples) // hop
    # librosa warns of sounds shorter than a frame; silence behind one changes none of its frames.
    padded = np.pad(samples, (0, max(0, n_fft - len(samples))))
    spectrum = librosa.stft(padded, n_fft=n_fft, hop_length=hop)[:, :frames]
    power = spectrum.real**2 + spectrum.imag**2
    return np.asarray(_filters(rate, n_fft, mels) @ power, np.float32)


def from_log_mel(
    mel: NDArray[np.floating],
    *,
    rate: int,
    n_fft: int,
    hop: int,
    seed: int = 0,
    iterations: int = 32,
) -> NDArray[np.float32]:
    """Invert `log_mel` approximately.

    The phase, which a spectrogram lacks, is estimated by the fast Griffin-Lim algorithm (Perraudin, Balazs and
    Sondergaard, 2013).

    Args:
        mel: (mels, frames) as `log_mel` gives it; values outside 0 to 1 are clipped.
        rate: the sound's samples a second: the `target_rate` of `log_mel`.
        n_fft: samples in a frame.
        hop: samples between frames.
        seed: of the initial phase.
        iterations: of Griffin-Lim.

    Returns:
        float32 ((frames - 1) * hop,) within -1 to 1; half a hop for a single frame.

    Raises:
        ValueError: a value is not finite.
    """
    import librosa

    if not np.isfinite(mel).all():
        raise ValueError("a log-mel spectrogram must be finite")
    mels, frames = mel.shape
    length = (frames - 1) * hop or hop // 2
    level = np.clip(np.asarray(mel, np.float64), 0, 1)
    # The floor means silence: decoded as a level it would be a hiss.
    power = np.where(level > 0, 10 ** ((level - 1) * -FLOOR_DB / 10), 0) / _full_scale(n_fft)
    if not power.any():
        return np.zeros(length, np.float32)
    # librosa warns of sounds shorter than a window.
    silent = max(0, -(-n_fft // hop) + 1 - frames)
    power = np.pad(power, ((0, 0), (0, silent)))
    magnitude = np.sqrt(_invert_filters(power, _filters(rate, n_fft, mels)))
    samples = librosa.griffinlim(
        magnitude, n_iter=iterations, hop_length=hop, n_fft=n_fft, random_state=np.random.RandomState(seed)
    )[:length]
    return np.asarray(samples / max(1.0, np.abs(samples).max()), np.float32)


def _invert_filters(power: NDArray[np.float64], filters: NDArray[np.float32]) -> NDArray[np.float64]:
    """Non-negative powers of frequency bins whose filtered sums approximate the given powers of mel bands.

    By multiplicative updates (Lee and Seung, 2000): librosa's exact solver takes seconds for a sound of one.
    """
    target, overlap = filters.T @ power, filters.T @ filters
    bins = target / np.maximum(filters.sum(axis=0)[:, None], 1e-3)
    for _ in range(100):
        bins *= target / np.maximum(overlap @ bins, 1e-30)
    return np.asarray(bins)


def _full_scale(n_fft: int) -> float:
    """Inverse of the power of a bin under a Hann window, for a sine of full scale."""
    return (4 / n_fft) ** 2


@cache
def _filters(rate: int, n_fft: int, mels: int) -> NDArray[np.float32]:
    import librosa

    with catch_warnings():
        simplefilter("ignore")  # on empty bands, which raise below
        filters = librosa.filters.mel(sr=rate, n_fft=n_fft, n_mels=mels, norm=None)
    if not filters.any(axis=1).all():
        raise ValueError(f"{mels} bands are too many for frames of {n_fft} samples at {rate} Hz")
    filters.setflags(write=False)
    return np.asarray(filters)
