"""How much of pictures and sounds a page holds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Detail:
    """How much of each cell, and of how many, a page holds.

    Attributes:
        pixels: the longest side of a picture; what is larger is scaled down.
        seconds: how long a sound is; what is longer is cut.
        rate: samples a second of a sound, in hertz; what has more is resampled.
        cells: how many cells of a column are shown beside each other, at most.
        pairs: how many (given, target) pairs of columns are shown, at most.
        thumbnails: how many pictures the map of the latent shows, at most.
        letters: how long a text is.
    """

    pixels: int
    seconds: float
    rate: int
    cells: int
    pairs: int
    thumbnails: int
    letters: int


DETAILS = (
    Detail(pixels=192, seconds=6.0, rate=22_050, cells=12, pairs=90, thumbnails=240, letters=400),
    Detail(pixels=128, seconds=3.0, rate=16_000, cells=9, pairs=42, thumbnails=160, letters=240),
    Detail(pixels=96, seconds=2.0, rate=11_025, cells=6, pairs=20, thumbnails=100, letters=160),
    Detail(pixels=64, seconds=1.0, rate=8_000, cells=3, pairs=6, thumbnails=50, letters=100),
    Detail(pixels=32, seconds=0.5, rate=8_000, cells=1, pairs=0, thumbnails=0, letters=40),
)
"""From the most a page may hold to the least, for tables whose cells are large."""
