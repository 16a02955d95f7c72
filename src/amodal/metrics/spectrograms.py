"""Distances between spectrograms."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def mel_distance(truth: NDArray[Any], completed: NDArray[Any]) -> NDArray[np.float64]:
    """Root mean square over bands of two spectrograms' difference, averaged over frames: (N,).

    Source: the log-spectral distance of Gray & Markel, "Distance measures for speech processing", 1976, on bands
    spaced evenly in mel.

    Args:
        truth: (N, bands, frames).
        completed: (N, bands, frames), in the same unit, which is the result's.
    """
    difference = np.asarray(truth, np.float64) - completed
    return np.asarray(np.sqrt(np.square(difference).mean(axis=1)).mean(axis=1))
