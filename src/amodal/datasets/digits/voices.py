"""Random voices of the spoken digits, and trimming of their samples."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from amodal.datasets.digits.speech import RATE, Utterance
from amodal.media import resample

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

__all__ = ["SPEECH_RATE", "VOICES", "choose_utterance", "trimmed"]

SPEECH_RATE = 8_000
"""Sample rate of the demo's speech in Hz."""

VOICES = {
    "man": ("m2", "m3", "m4", "m5", "m6", "m7", "m8", "Denis", "Diogo", "Henrique", "michel", "travis"),
    "woman": ("f2", "f3", "f4", "f5", "Annie", "aunty", "belinda", "linda", "steph", "steph2"),
    "elder": ("croak", "grandma", "grandpa"),
    "whisper": ("caleb", "whisper", "whisperf"),
    "robot": ("anikaRobot", "robosoft4", "robosoft5", "robosoft6"),
}
"""Kind of voice -> variants of eSpeak NG, grouped by name and by what their files declare (gender, breath).

Only variants that do not clip and whose digits a support vector machine trained on the other variants classifies
without error.
"""

_KIND = {variant: kind for kind, variants in VOICES.items() for variant in variants}
_SILENCE_LEVEL = 0.02
_MARGIN_SECONDS = 0.02


def choose_utterance(text: str, held_out: bool, generator: Generator) -> tuple[str, Utterance]:
    """A random voice for a text: its kind, and the utterance.

    Held-out rows have odd pitches and others even ones, so that no utterance is in both.
    """
    variant = str(generator.choice(list(_KIND)))
    return _KIND[variant], Utterance(
        text=text,
        voice=variant,
        rate=int(generator.integers(135, 211)),
        pitch=2 * int(generator.integers(17, 33)) + held_out,
        pitch_range=int(generator.integers(30, 71)),
    )


def trimmed(samples: NDArray[np.int16], generator: Generator) -> NDArray[np.float32]:
    """Resample an utterance, trim silence at both ends, and scale it to a random peak.

    Args:
        samples: int16 (n,), at eSpeak NG's rate.
        generator: source of the peak, between 0.4 and 0.9 of full scale.

    Returns:
        float32 (m,), at `SPEECH_RATE`.

    Raises:
        RuntimeError: all samples are zero.
    """
    if not samples.any():
        raise RuntimeError("eSpeak NG said nothing")
    sound = resample(samples / 32768, RATE, SPEECH_RATE)
    loudness = np.abs(sound)
    audible = np.flatnonzero(loudness > _SILENCE_LEVEL * loudness.max())
    margin = round(_MARGIN_SECONDS * SPEECH_RATE)
    sound = sound[max(0, audible[0] - margin) : audible[-1] + margin]
    return np.asarray(sound * (generator.uniform(0.4, 0.9) / loudness.max()), np.float32)
