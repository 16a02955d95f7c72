"""Whose voice says a digit, how, and as which samples."""

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
"""Samples a second of the demo's speech."""

VOICES = {
    "man": ("m2", "m3", "m4", "m5", "m6", "m7", "m8", "Denis", "Diogo", "Henrique", "michel", "travis"),
    "woman": ("f2", "f3", "f4", "f5", "Annie", "aunty", "belinda", "linda", "steph", "steph2"),
    "elder": ("croak", "grandma", "grandpa"),
    "whisper": ("caleb", "whisper", "whisperf"),
    "robot": ("anikaRobot", "robosoft4", "robosoft5", "robosoft6"),
}
"""Kind of voice -> variants of eSpeak NG, grouped by name and what their files declare (gender, breath).

They are those of its variants that do not clip and whose digits a support vector machine that never heard
them tells apart without a mistake.
"""

_KIND = {variant: kind for kind, variants in VOICES.items() for variant in variants}
_LOUDER_THAN = 0.02
_MARGIN_SECONDS = 0.02


def choose_utterance(text: str, held_out: bool, generator: Generator) -> tuple[str, Utterance]:
    """Choose who says a text, and how.

    Held-out rows take the odd pitches and the others the even, so that no utterance is in both.

    Returns:
        The kind of voice, and the utterance.
    """
    variant = str(generator.choice(list(_KIND)))
    return _KIND[variant], Utterance(
        text=text,
        voice=variant,
        rate=int(generator.integers(135, 211)),
        pitch=2 * int(generator.integers(17, 33)) + held_out,
        liveliness=int(generator.integers(30, 71)),
    )


def trimmed(samples: NDArray[np.int16], generator: Generator) -> NDArray[np.float32]:
    """Resample an utterance, cut the silence around it, and set how loud it is.

    Args:
        samples: int16 (n,), at eSpeak NG's rate.
        generator: chooses the peak, between 0.4 and 0.9 of full scale.

    Returns:
        float32 (m,), at `SPEECH_RATE`.

    Raises:
        RuntimeError: nothing can be heard.
    """
    if not samples.any():
        raise RuntimeError("eSpeak NG said nothing")
    sound = resample(samples / 32768, RATE, SPEECH_RATE)
    loudness = np.abs(sound)
    heard = np.flatnonzero(loudness > _LOUDER_THAN * loudness.max())
    margin = round(_MARGIN_SECONDS * SPEECH_RATE)
    sound = sound[max(0, heard[0] - margin) : heard[-1] + margin]
    return np.asarray(sound * (generator.uniform(0.4, 0.9) / loudness.max()), np.float32)
