"""Samples to mel-frequency cepstral coefficients and back."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING
from warnings import catch_warnings, simplefilter

import numpy as np

from amodal.media.audio import resample

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["from_mfcc", "mfcc"]

_MIN_POWER = 1e-10
"""Power that librosa raises silence to."""
_MAX_POWER = 1e6
"""More power than a sound of full scale gives any band: drawn coefficients may decode to infinity."""


def mfcc(
    samples: NDArray[np.floating],
    rate: int,
    *,
    target_rate: int,
    coefficients: int,
    n_fft: int,
    hop: int,
    mels: int,
) -> NDArray[np.float32]:
    """Compute `librosa.feature.mfcc`, several times as fast by cached filters and window.

    The arithmetic is librosa's step by step, so that the numbers are equal.

    Args:
        samples: (n,), full scale is -1 to 1; may be shorter than a frame.
        rate: their samples a second, in hertz.
        target_rate: samples a second to resample to first.
        coefficients: number of coefficients, at most `mels`.
        n_fft: samples in a frame, at `target_rate`.
        hop: samples between frames.
        mels: number of mel bands.

    Returns:
        float32 (coefficients, 1 + n // hop), in decibels times the square root of `mels`. Bands more than 80 dB
        below the sound's loudest count as 80 dB below it.

    Example:
        >>> form = {"coefficients": 40, "n_fft": 256, "hop": 128, "mels": 40}
        >>> mfcc(np.zeros(8000), 8000, target_rate=8000, **form).shape
        (40, 63)
    """
    from scipy.fft import dct, rfft

    sound = resample(samples, rate, target_rate)
    padded = np.zeros(len(sound) + n_fft, np.float32)
    padded[n_fft // 2 : n_fft // 2 + len(sound)] = sound
    # Equal to sliding_window_view(padded, n_fft)[::hop], in a third of its time.
    frames = np.ndarray((1 + len(sound) // hop, n_fft), np.float32, padded, strides=(4 * hop, 4))
    spectrum = rfft(frames * _window(n_fft), axis=1).astype(np.complex64).T
    power = _filters(target_rate, n_fft, mels) @ np.abs(spectrum) ** 2
    decibels = 10 * np.log10(np.maximum(power, _MIN_POWER))
    cepstrum = dct(np.maximum(decibels, decibels.max() - 80), axis=0, norm="ortho")
    return np.ascontiguousarray(cepstrum[:coefficients], np.float32)


def from_mfcc(
    coefficients: NDArray[np.floating],
    *,
    rate: int,
    n_fft: int,
    hop: int,
    mels: int,
    seed: int = 0,
    iterations: int = 32,
) -> NDArray[np.float32]:
    """Invert `mfcc` approximately.

    These are the steps of `librosa.feature.inverse.mfcc_to_audio`, which has no seed: it gives the same
    coefficients another sound each time.

    Args:
        coefficients: (coefficients, frames) as `mfcc` gives them.
        rate: the sound's samples a second: the `target_rate` of `mfcc`.
        n_fft: samples in a frame.
        hop: samples between frames.
        mels: number of mel bands.
        seed: of the initial phase.
        iterations: of Griffin-Lim.

    Returns:
        float32 ((frames - 1) * hop,) within -1 to 1; half a hop for a single frame.

    Raises:
        ValueError: a value is not finite.
    """
    import librosa

    if not np.isfinite(coefficients).all():
        raise ValueError("cepstral coefficients must be finite")
    frames = coefficients.shape[1]
    with np.errstate(over="ignore"):
        power = librosa.feature.inverse.mfcc_to_mel(np.asarray(coefficients, np.float64), n_mels=mels)
    # The floor means silence: decoded as a level it would be a hiss.
    power = np.where(power < 2 * _MIN_POWER, 0.0, np.minimum(power, _MAX_POWER))
    # librosa warns of sounds shorter than a window.
    power = np.pad(power, ((0, 0), (0, max(0, -(-n_fft // hop) + 1 - frames))))
    with catch_warnings():
        simplefilter("ignore")  # on bands narrower than a bin, which stay empty
        magnitude = librosa.feature.inverse.mel_to_stft(power, sr=rate, n_fft=n_fft)
    samples = librosa.griffinlim(
        magnitude, n_iter=iterations, hop_length=hop, n_fft=n_fft, random_state=np.random.RandomState(seed)
    )[: (frames - 1) * hop or hop // 2]
    return np.asarray(samples / max(1.0, np.abs(samples).max()), np.float32)


@cache
def _window(n_fft: int) -> NDArray[np.float64]:
    from scipy.signal import get_window

    # In double precision, as librosa's is: single precision is off by a thousandth in quiet bands.
    window = np.asarray(get_window("hann", n_fft, fftbins=True))
    window.setflags(write=False)
    return window


@cache
def _filters(rate: int, n_fft: int, mels: int) -> NDArray[np.float32]:
    import librosa

    with catch_warnings():
        simplefilter("ignore")  # on bands narrower than a bin, which stay empty
        filters = librosa.filters.mel(sr=rate, n_fft=n_fft, n_mels=mels)
    filters.setflags(write=False)
    return np.asarray(filters)
