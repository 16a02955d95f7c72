import numpy as np

from amodal.media import Sound
from benchmarks.pitch import in_tune, pitch_of


def tone(midi: float, rate: int = 22_050) -> Sound:
    hertz = 440 * 2 ** ((midi - 69) / 12)
    turns = np.arange(rate // 2) / rate * hertz
    samples = sum(np.sin(2 * np.pi * harmonic * turns) / harmonic for harmonic in (1, 2, 3))
    return Sound((0.3 * samples).astype(np.float32), rate)


def test_tones_have_the_pitch_that_they_were_made_with() -> None:
    for midi in (45, 60, 81):
        assert abs(pitch_of(tone(midi)) - midi) < 0.2


def test_noise_and_silence_and_other_pitches_are_out_of_tune() -> None:
    noise = Sound(np.random.default_rng(0).normal(0, 0.2, 8000).astype(np.float32), 16_000)
    sounds = [tone(60), tone(60.3), tone(61), noise, Sound(np.zeros(300, np.float32), 8000)]
    assert in_tune(sounds, np.full(5, 60)).tolist() == [True, True, False, False, False]
