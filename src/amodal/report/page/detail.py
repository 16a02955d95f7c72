"""Levels of detail of a page, for tables whose cells are large."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Detail:
    """Limits of the cells on a page.

    Attributes:
        pixels: the longest side of an image; larger ones are scaled down.
        seconds: length of a sound; longer ones are cut.
        rate: samples a second of a sound, in hertz; higher ones are resampled.
        cells: number of cells of a column.
        pairs: number of (given, target) pairs of columns.
        thumbnails: number of images on the map of the latent.
        letters: length of a text.
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
"""From the most detail to the least."""
