"""Textures of images and spectrograms: the strength and the sparsity of edges at several scales."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

Maps = NDArray[np.float32]

_SCALES = 5
_LEAST_SIDE = 4
_FAINT = 1e-4
"""Mean square of differences, of maps of variance 1, that are as faint as those of rounding."""
_LEAST_SPREAD = 0.5
"""Least deviation that a statistic is divided by: no set of images is strict about energies that differ by half."""
_LUMINANCE = np.array([0.299, 0.587, 0.114], np.float32)


class TextureFeatures:
    """Vectors (N, F) of maps (N, H, W, C), of total variance 1 at most over the maps they are fitted to.

    At each of up to five scales, half as wide each: the logarithms of the mean square of horizontal, vertical,
    diagonal and band-pass differences of brightness (of colour, band-pass ones alone), and of the ratio of the squared
    mean size to that mean square, which is small where differences are sparse, as at edges, and large for noise. Then
    the mean and the deviation of each channel. Blurring lowers the first at fine scales; noise raises both.

    Sources: statistics of band-pass responses, Portilla & Simoncelli, "A parametric texture model based on joint
    statistics of complex wavelet coefficients", IJCV 2000; the pyramid, Burt & Adelson, "The Laplacian pyramid as a
    compact image code", IEEE Transactions on Communications 1983.

    Args:
        maps: real ones, of any range.
    """

    def __init__(self, maps: NDArray[Any]) -> None:
        self._contrast = float(np.std(maps, dtype=np.float64)) or 1.0
        vectors = self._vectors(maps)
        self._mean, self._std = vectors.mean(0), np.maximum(vectors.std(0), _LEAST_SPREAD)

    def __call__(self, maps: NDArray[Any]) -> NDArray[np.float64]:
        """Vectors (N, F) of maps (N, H, W, C)."""
        vectors = (self._vectors(maps) - self._mean) / self._std
        return np.asarray(vectors / np.sqrt(len(self._mean)))

    def _vectors(self, maps: NDArray[Any]) -> NDArray[np.float64]:
        channels = _channels(np.asarray(maps / self._contrast, np.float32))
        return np.stack(
            [
                statistic
                for number, channel in enumerate(channels)
                for statistic in (
                    *_pyramid_statistics(channel, is_colour=number > 0),
                    channel.mean((1, 2)),
                    np.log(channel.std((1, 2)) + _FAINT**0.5),
                )
            ],
            axis=1,
        ).astype(np.float64)


def _channels(maps: Maps) -> list[Maps]:
    """Brightness, and of three colours how red and how blue, each (N, H, W)."""
    if maps.shape[3] != 3:
        return [maps[..., channel] for channel in range(maps.shape[3])]
    brightness = maps @ _LUMINANCE
    return [brightness, maps[..., 0] - brightness, maps[..., 2] - brightness]


def _pyramid_statistics(channel: Maps, *, is_colour: bool) -> Iterator[Maps]:
    for _ in range(_SCALES):
        if min(channel.shape[1:]) < _LEAST_SIDE:
            return
        low = _smoothed(channel)
        responses = [channel - low]
        if not is_colour:
            across, down = np.diff(channel, axis=2), np.diff(channel, axis=1)
            responses += [across, down, np.diff(across, axis=1)]
        for response in responses:
            energy = np.square(response).mean((1, 2)) + _FAINT
            size = np.square(np.abs(response).mean((1, 2)))
            yield np.log(energy)
            yield np.log((size + _FAINT / 4) / energy)
        channel = low[:, ::2, ::2]


def _smoothed(channel: Maps) -> Maps:
    """Maps (N, H, W) by the binomial filter 1, 4, 6, 4, 1 along each side, with borders repeated."""
    for axis in (1, 2, 1, 2):
        padding = [(1, 1) if axis == each else (0, 0) for each in range(3)]
        padded = np.pad(channel, padding, mode="edge")
        size = channel.shape[axis]
        before, here, after = (
            padded[:, at : at + size] if axis == 1 else padded[:, :, at : at + size] for at in range(3)
        )
        channel = np.asarray((before + 2 * here + after) / 4, np.float32)
    return channel
