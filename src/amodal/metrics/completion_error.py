"""How far completed cells are from those that were hidden, by the measure that is right for their type."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from amodal.metrics.estimate import Score, need_rows
from amodal.metrics.sampling import bootstrap, subsample
from amodal.metrics.ssim import ssim
from amodal.modalities import Modality
from amodal.modalities.tokenization import tokenize_all

_LEAST = 10
_DECIBELS = 80.0


@dataclass(frozen=True)
class CompletionError:
    """How well a column was completed.

    Attributes:
        measure: "accuracy", "RMSE", "token F1", "mel distance" or "SSIM".
        unit: of the score; empty for shares and similarities.
        better: whether the better is "higher" or "lower".
        score: the value, with its interval.
    """

    measure: str
    unit: str
    better: Literal["higher", "lower"]
    score: Score


def completion_error(
    modality: Modality, truth: Tensor, completed: Tensor, *, seed: int = 0
) -> CompletionError:
    """Compare completed cells with the real ones of the same rows.

    Accuracy for categories, root mean square error in the column's own unit for numbers, `token_f1` for texts,
    `mel_distance` for sounds, `ssim` for pictures.

    Args:
        modality: the column's.
        truth: the real cells, scaled: (N, ...).
        completed: the drawn ones, scaled: (N, ...).
        seed: of the subsample of up to 2,000 rows and of the interval.

    Raises:
        LeftOut: fewer than 10 rows.
        ValueError: there are not as many cells of both.
    """
    if len(truth) != len(completed):
        raise ValueError(f"{len(completed)} completed cells for {len(truth)} real ones")
    need_rows(len(truth), _LEAST, "hidden cells")
    rows = subsample(len(truth), seed)
    measure = _MEASURES[modality.type]
    errors = measure.of(modality, truth[rows], completed[rows])

    def statistic(drawn: NDArray[Any]) -> float:
        mean = float(errors[drawn].mean())
        return mean**0.5 if measure.rooted else mean

    score = bootstrap(statistic, len(rows), seed=seed, subsampled=len(rows) < len(truth))
    unit = measure.unit
    if modality.type == "audio" and modality.representation != "mel":
        unit = "standard deviations"
    return CompletionError(measure.name, unit, measure.better, score)


def token_f1(truth: Sequence[str], completed: Sequence[str]) -> NDArray[np.float64]:
    """The harmonic mean of precision and recall of each text's words, however they are ordered: (N,), 0 to 1.

    Source: Rajpurkar et al., "SQuAD: 100,000+ questions for machine comprehension of text", EMNLP 2016.

    Example:
        >>> token_f1(["a red hen", ""], ["the red hen sits", ""]).round(2).tolist()
        [0.57, 1.0]
    """
    pairs = zip(tokenize_all(truth), tokenize_all(completed), strict=True)
    return np.array([_f1(Counter(one), Counter(other)) for one, other in pairs])


def mel_distance(truth: NDArray[Any], completed: NDArray[Any]) -> NDArray[np.float64]:
    """The root mean square over bands of two spectrograms' difference, averaged over frames: (N,).

    Source: the log-spectral distance of Gray & Markel, "Distance measures for speech processing", 1976, on bands
    spaced evenly in mel.

    Args:
        truth: (N, bands, frames).
        completed: (N, bands, frames), in the same unit, which is the result's.
    """
    difference = np.asarray(truth, np.float64) - completed
    return np.asarray(np.sqrt(np.square(difference).mean(axis=1)).mean(axis=1))


def _f1(one: Counter[str], other: Counter[str]) -> float:
    total = one.total() + other.total()
    return 2 * (one & other).total() / total if total else 1.0


def _accuracy(_: Modality, truth: Tensor, completed: Tensor) -> NDArray[Any]:
    return (truth == completed).numpy().astype(np.float64)


def _squares(modality: Modality, truth: Tensor, completed: Tensor) -> NDArray[Any]:
    one, other = (np.array(modality.to_cells(cells), np.float64) for cells in (truth, completed))
    return np.square(one - other)


def _texts(modality: Modality, truth: Tensor, completed: Tensor) -> NDArray[Any]:
    return token_f1(modality.to_cells(truth), modality.to_cells(completed))


def _sounds(modality: Modality, truth: Tensor, completed: Tensor) -> NDArray[Any]:
    one, other = truth.float(), completed.float()
    if modality.representation == "mel":
        # What is after a sound's end is below silence, and is heard as silence.
        one, other = one.clamp(0, 1) * _DECIBELS, other.clamp(0, 1) * _DECIBELS
    return mel_distance(one.numpy(), other.numpy())


def _pictures(modality: Modality, truth: Tensor, completed: Tensor) -> NDArray[Any]:
    return ssim(np.stack(modality.to_cells(truth)), np.stack(modality.to_cells(completed)))


@dataclass(frozen=True)
class _Measure:
    name: str
    unit: str
    better: Literal["higher", "lower"]
    of: Callable[[Modality, Tensor, Tensor], NDArray[Any]]
    rooted: bool = False


_MEASURES: Mapping[str, _Measure] = {
    "image": _Measure("SSIM", "", "higher", _pictures),
    "audio": _Measure("mel distance", "dB", "lower", _sounds),
    "text": _Measure("token F1", "", "higher", _texts),
    "number": _Measure("RMSE", "the column's own", "lower", _squares, rooted=True),
    "category": _Measure("accuracy", "", "higher", _accuracy),
}
