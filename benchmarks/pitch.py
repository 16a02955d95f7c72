"""Pitch of sounds, compared with a MIDI number."""

from __future__ import annotations

import numpy as np

from amodal.media import Sound, resample

_RATE = 16_000
_CENTS = 50.0


def pitch_of(sound: Sound) -> float:
    """The median fundamental frequency of a sound's voiced frames as a MIDI number; NaN where none is voiced.

    Of its first two seconds: the search takes a second of time for a few seconds of sound.

    Source: Mauch & Dixon, "pYIN: a fundamental frequency estimator using probabilistic threshold distributions",
    ICASSP 2014, by librosa, from 30 Hz to 4.2 kHz.
    """
    import librosa

    samples = resample(sound.samples[: 2 * sound.rate], sound.rate, _RATE)
    frame = 2048
    samples = np.pad(samples, (0, max(0, frame - len(samples))))
    frequencies, voiced, _ = librosa.pyin(samples, fmin=30, fmax=4200, sr=_RATE, frame_length=frame)
    if not voiced.any():
        return float("nan")
    return float(np.median(librosa.hz_to_midi(frequencies[voiced])))


def in_tune(sounds: list[Sound], midi: np.ndarray) -> np.ndarray:
    """Boolean (N,): true where a sound's pitch is within 50 cents of its MIDI number."""
    pitches = np.array([pitch_of(sound) for sound in sounds])
    return np.abs(pitches - midi) * 100 <= _CENTS
