"""Metrics and display of each column type: one entry a type.

A type without an entry is compared by its flattened tensors and shown as text; metrics that cannot be generic are
unavailable for it, with a sentence.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, cast

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from amodal.metrics.estimate import Better, Estimate, MetricUnavailable
from amodal.metrics.feature_blocks import (
    COMPONENTS,
    FeatureBlock,
    label_block,
    number_block,
    text_block,
    thumbnail,
)
from amodal.metrics.frechet import frechet_distance
from amodal.metrics.marginals import normalized_wasserstein, total_variation
from amodal.metrics.prdc import prdc
from amodal.metrics.sharpness import sharpness
from amodal.metrics.spectrograms import mel_distance
from amodal.metrics.ssim import ssim
from amodal.metrics.texts import length_distance, ngram_overlap, token_f1
from amodal.metrics.vectorizers import (
    Cells,
    Vectorizer,
    flatten,
    layout_and_texture,
    principal_components,
    word_counts,
)
from amodal.modalities import DatetimeQuantile, Modality
from amodal.modalities.rank_modality import RankModality

if TYPE_CHECKING:
    from amodal.metrics.features import ColumnFeatures

Display = Literal["image", "audio", "number", "text"]
Estimates = dict[str, Estimate]

_DECIBELS = 80.0
_HALF = 0.5
_MOST_DEVIATIONS = 3.0
_MOST_TERMS = 5_000


ColumnCells = tuple[Cells, NDArray[np.bool_]]
"""A column's present cells (P, ...), as `ColumnMetrics.table_cells`, and whether each row (N,) has one."""


def spread(vectors: NDArray[np.float64], present: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Vectors (P, F) of present cells as those of all rows (N, F), NaN where the cell is missing."""
    rows = np.full((len(present), vectors.shape[1]), np.nan)
    rows[present] = vectors
    return rows


def spread_texts(texts: Sequence[Any], present: NDArray[np.bool_]) -> list[str]:
    """Texts of present cells as those of all rows (N,), empty where the cell is missing."""
    left = iter(texts)
    return [str(next(left)) if here else "" for here in present]


@dataclass(frozen=True)
class CellErrors:
    """Errors or similarities of completed cells.

    Attributes:
        values: (N,), one a cell.
        name: of the metric.
        better: the better direction.
        description: one sentence.
        unit: empty for shares and similarities.
        is_squared: whether the metric is the root of the mean.
    """

    values: NDArray[Any]
    name: str
    better: Better
    description: str
    unit: str = ""
    is_squared: bool = False


FIDELITY: Mapping[str, tuple[Better | None, str, str]] = {
    "Frechet distance": ("lower", "", "Distance of generated cells from real ones as a whole, in features."),
    "precision": ("higher", "", "Share of generated cells that look like real ones."),
    "recall": ("higher", "", "Share of real cells that are like something the model generates."),
    "density": ("higher", "", "How deep generated cells lie among real ones."),
    "coverage": ("higher", "", "Share of real cells that have a generated cell near them."),
    "sharpness": (
        None,
        "",
        "Energy of fine detail over that of real cells: below 1 is blurred, above it noise.",
    ),
    "length distance": ("lower", "", "How many words longer or shorter texts are, over the real mean."),
    "n-gram overlap": ("higher", "", "Share of pairs of neighbouring words that texts have in common."),
    "Wasserstein distance": ("lower", "standard deviations", "How far numbers must be moved on average."),
    "total variation": ("lower", "", "Share of rows that would need another label."),
}
"""Metrics of generated cells: name -> better direction, unit, description."""


class ColumnMetrics:
    """Metrics of a column of any type, which an entry overrides.

    Attributes:
        is_numeric: whether a cell is one number.
        is_categorical: whether a cell is one label.
        display: how the page shows a cell.
        typical_name: what `typical` is.
    """

    is_numeric: ClassVar[bool] = False
    is_categorical: ClassVar[bool] = False
    display: ClassVar[Display] = "text"
    typical_name: ClassVar[str] = "most frequent"

    def __init__(self, modality: Modality) -> None:
        self.modality = modality

    @property
    def is_scalar(self) -> bool:
        """True where a cell is one number or label, which can be averaged over draws, regressed and a target."""
        return self.is_numeric or self.is_categorical

    def fit_vectorizer(self, cells: Any, seed: int) -> Vectorizer:
        """Fit vectors of scaled cells (N, ...)."""
        return principal_components(flatten, cells, seed)

    def fit_fidelity_vectorizer(self, cells: Any, seed: int) -> Vectorizer:
        """Fit the vectors that `fidelity` compares, in which blurred cells and noise are far from real ones."""
        return self.fit_vectorizer(cells, seed)

    def table_cells(self, cells: Tensor, originals: pd.Series[Any]) -> Cells:
        """A table's cells (N, ...) as they are compared: scaled, unless these lose what draws are judged by.

        Args:
            cells: scaled.
            originals: the same cells as the table has them.
        """
        return cells

    def fit_block(self, fitted: ColumnCells, others: ColumnCells) -> FeatureBlock:
        """Features of the column's cells, missing ones too, as inputs of scikit-learn models."""
        vectors = [spread(self.input_vectors(cells), present) for cells, present in (fitted, others)]
        return number_block(vectors[0], vectors[1], components=COMPONENTS)

    def input_vectors(self, cells: Any) -> NDArray[np.float64]:
        """Numbers (N, F) of present cells that `fit_block` standardises."""
        return flatten(cells).astype(np.float64)

    def errors(self, truth: Any, completed: Any) -> CellErrors:
        """Errors of completed cells (N, ...), both as `table_cells` or scaled.

        Raises:
            MetricUnavailable: the type has none.
        """
        raise MetricUnavailable(f"no completion error is defined for columns of type {self.modality.type}")

    def fidelity(self, features: ColumnFeatures, real: Any, generated: Any, seed: int) -> Estimates:
        """Distances of generated cells from real ones, by fidelity features; keys as in `FIDELITY`."""
        one, other = features(real), features(generated)
        return {
            "Frechet distance": frechet_distance(one, other, seed=seed),
            **vars(prdc(one, other, seed=seed)),
        }

    def typical(self, real: Any) -> Any:
        """The most frequent cell (1, ...) of scaled ones (N, ...)."""
        values, counts = torch.unique(real, dim=0, return_counts=True)
        return values[counts.argmax()][None]

    def consensus(self, draws: Any) -> tuple[Any, str]:
        """One cell a row (N, ...) of draws (N, K, ...), and its name."""
        return draws[:, 0], "one draw"

    def values(self, cells: Tensor) -> NDArray[Any]:
        """Scaled cells (N,) as label indices, or as numbers in the column's own unit.

        Raises:
            MetricUnavailable: a cell is neither a label nor a number.
        """
        raise MetricUnavailable(f"cells of type {self.modality.type} are neither numbers nor labels")


class ImageMetrics(ColumnMetrics):
    """Compared as the pixels that a user gets, rounded."""

    display = "image"
    typical_name = "mean cell"

    def fit_vectorizer(self, cells: Any, seed: int) -> Vectorizer:
        def pixels(cells: Tensor) -> NDArray[Any]:
            return self._images(cells).reshape(len(cells), -1).astype(np.float32)

        return principal_components(pixels, cells, seed)

    def fit_fidelity_vectorizer(self, cells: Any, seed: int) -> Vectorizer:
        return layout_and_texture(self.fit_vectorizer(cells, seed), self._images, cells)

    def fidelity(self, features: ColumnFeatures, real: Any, generated: Any, seed: int) -> dict[str, Estimate]:
        estimates = super().fidelity(features, real, generated, seed)
        with suppress(MetricUnavailable):  # of images of one colour
            ratio = sharpness(*(list(self._images(cells)) for cells in (generated, real)))
            estimates["sharpness"] = Estimate(ratio, min(len(real), len(generated)))
        return estimates

    def errors(self, truth: Any, completed: Any) -> CellErrors:
        one, other = (self._images(cells) for cells in (truth, completed))
        words = "Similarity of completed and real images in luminance, contrast and structure."
        return CellErrors(ssim(one, other), "SSIM", "higher", words)

    def typical(self, real: Tensor) -> Tensor:
        return real.float().mean(dim=0, keepdim=True)

    def input_vectors(self, cells: Any) -> NDArray[np.float64]:
        vectors = [thumbnail(image) for image in self._images(cells)] if len(cells) else []
        return np.reshape(vectors, (len(cells), -1 if vectors else 1)).astype(np.float64)

    def _images(self, cells: Tensor) -> NDArray[np.uint8]:
        """(N, H, W, C), as a user gets them."""
        return np.stack(self.modality.to_cells(cells))


class AudioMetrics(ColumnMetrics):
    """Compared as spectrograms or cepstra: phase, which these lack, is no part of it."""

    display = "audio"
    typical_name = "mean cell"

    def fit_fidelity_vectorizer(self, cells: Any, seed: int) -> Vectorizer:
        return layout_and_texture(self.fit_vectorizer(cells, seed), self._maps, cells)

    def errors(self, truth: Any, completed: Any) -> CellErrors:
        one, other = (self._maps(cells)[..., 0] for cells in (truth, completed))
        unit = "dB" if self.modality.representation == "mel" else "standard deviations"
        words = "Distance of completed sounds' spectrograms from the real ones."
        return CellErrors(mel_distance(one, other), "mel distance", "lower", words, unit)

    def typical(self, real: Tensor) -> Tensor:
        return real.float().mean(dim=0, keepdim=True)

    def input_vectors(self, cells: Any) -> NDArray[np.float64]:
        # Of frames after the end, which are below silence, the deviation tells the length.
        frames = cells.double().numpy()
        return np.concatenate([frames.mean(2), frames.std(2)], axis=1)

    def _maps(self, cells: Tensor) -> NDArray[np.float32]:
        """(N, bands, frames, 1), in decibels or standard deviations."""
        maps = cells.float()
        if self.modality.representation == "mel":
            # After a sound's end, values are below silence, which sounds the same as silence.
            maps = maps.clamp(0, 1) * _DECIBELS
        return np.asarray(maps[..., None].numpy())


class TextMetrics(ColumnMetrics):
    """Compared as words, a table's own ones: scaled cells lack the words that the model does not know."""

    def fit_vectorizer(self, cells: Any, seed: int) -> Vectorizer:
        return word_counts(self._texts, cells, seed)

    def table_cells(self, cells: Tensor, originals: pd.Series[Any]) -> Cells:
        return np.array([str(text) for text in originals], object)

    def errors(self, truth: Any, completed: Any) -> CellErrors:
        scores = token_f1(self._texts(truth), self._texts(completed))
        return CellErrors(scores, "token F1", "higher", "Precision and recall of a hidden text's words.")

    def fidelity(self, features: ColumnFeatures, real: Any, generated: Any, seed: int) -> Estimates:
        estimates = super().fidelity(features, real, generated, seed)
        texts = [self._texts(cells) for cells in (real, generated)]
        for name, metric in (("length distance", length_distance), ("n-gram overlap", ngram_overlap)):
            try:
                estimates[name] = metric(*texts, seed=seed)
            except MetricUnavailable:
                # Texts without words still have features.
                continue
        return estimates

    def fit_block(self, fitted: ColumnCells, others: ColumnCells) -> FeatureBlock:
        texts = [spread_texts(self._texts(cells), present) for cells, present in (fitted, others)]
        return text_block(texts[0], texts[1], max_terms=_MOST_TERMS)

    def typical(self, real: Any) -> Any:
        if isinstance(real, Tensor):
            return super().typical(real)
        return np.array([Counter(real.tolist()).most_common(1)[0][0]], object)

    def _texts(self, cells: Cells) -> list[str]:
        if isinstance(cells, Tensor):
            return [str(text) for text in self.modality.to_cells(cells)]
        return [str(text) for text in cells]


class NumberMetrics(ColumnMetrics):
    """Compared in the column's own unit, rounded as a user gets it."""

    is_numeric = True
    display: ClassVar[Display] = "number"
    typical_name = "mean"

    def fit_vectorizer(self, cells: Any, seed: int) -> Vectorizer:
        # The minimum and maximum of a column are infinitely rare quantiles.
        return lambda cells: flatten(self.scaled(self.values(cells))).clip(
            -_MOST_DEVIATIONS, _MOST_DEVIATIONS
        )

    def errors(self, truth: Any, completed: Any) -> CellErrors:
        squares = np.square(self.values(truth) - self.values(completed))
        words = "Root mean square error of hidden numbers."
        return CellErrors(squares, "RMSE", "lower", words, self._ranked.amount_unit, is_squared=True)

    def fidelity(self, features: ColumnFeatures, real: Any, generated: Any, seed: int) -> Estimates:
        return {"Wasserstein distance": normalized_wasserstein(self.values(real), self.values(generated))}

    def input_vectors(self, cells: Any) -> NDArray[np.float64]:
        return self.values(cells)[:, None]

    def typical(self, real: Tensor) -> Tensor:
        return self.scaled(self.values(real).mean(keepdims=True))

    def consensus(self, draws: Tensor) -> tuple[Tensor, str]:
        numbers = self.values(draws.reshape(-1)).reshape(draws.shape)
        return self.scaled(numbers.mean(axis=1)), f"mean of {draws.shape[1]} draws"

    def values(self, cells: Tensor) -> NDArray[Any]:
        return self._ranked.amounts(cells)

    def scaled(self, numbers: NDArray[Any]) -> Tensor:
        """Numbers (N,) as scaled cells."""
        return self._ranked.to_quantiles(np.asarray(numbers, np.float64))

    @property
    def _ranked(self) -> RankModality:
        return cast(RankModality, self.modality)


class DatetimeMetrics(NumberMetrics):
    """Compared as days since the first one, or as steps of their grid."""

    display = "text"

    def values(self, cells: Tensor) -> NDArray[Any]:
        return super().values(cells) * self._days

    def scaled(self, numbers: NDArray[Any]) -> Tensor:
        return super().scaled(np.asarray(numbers) / self._days)

    @property
    def _days(self) -> float:
        """Days of an amount; 1 where months or working days are counted."""
        return cast(DatetimeQuantile, self.modality).days_per_step


class DurationMetrics(NumberMetrics):
    """Compared in seconds."""

    display = "text"


class CategoryMetrics(ColumnMetrics):
    """Compared as labels."""

    is_categorical = True

    def fit_vectorizer(self, cells: Any, seed: int) -> Vectorizer:
        return lambda cells: self.modality.features(cells).numpy()

    def errors(self, truth: Any, completed: Any) -> CellErrors:
        hits = (truth == completed).numpy().astype(np.float64)
        return CellErrors(hits, "accuracy", "higher", "Share of hidden labels that are completed right.")

    def fidelity(self, features: ColumnFeatures, real: Any, generated: Any, seed: int) -> Estimates:
        return {"total variation": total_variation(real.tolist(), generated.tolist())}

    def fit_block(self, fitted: ColumnCells, others: ColumnCells) -> FeatureBlock:
        labels = [
            spread_texts(self.modality.to_cells(torch.as_tensor(cells)), present)
            for cells, present in (fitted, others)
        ]
        return label_block(*labels)

    def consensus(self, draws: Tensor) -> tuple[Tensor, str]:
        return draws.mode(dim=1).values, f"most frequent of {draws.shape[1]} draws"

    def values(self, cells: Tensor) -> NDArray[Any]:
        return cells.numpy()


class TagsMetrics(ColumnMetrics):
    """Compared as sets of labels."""

    def errors(self, truth: Any, completed: Any) -> CellErrors:
        one, other = ((torch.as_tensor(cells).numpy() > _HALF) for cells in (truth, completed))
        union = (one | other).sum(1)
        shares = np.where(union > 0, (one & other).sum(1) / np.maximum(union, 1), 1.0)
        words = "Labels that hidden and completed sets have in common, over all labels of both."
        return CellErrors(shares, "Jaccard index", "higher", words)

    def typical(self, real: Any) -> Any:
        return (torch.as_tensor(real).float().mean(0, keepdim=True) > _HALF).float()

    def consensus(self, draws: Any) -> tuple[Any, str]:
        return (draws.float().mean(1) > _HALF).float(), f"labels of most of {draws.shape[1]} draws"


BY_TYPE: dict[str, type[ColumnMetrics]] = {
    "image": ImageMetrics,
    "audio": AudioMetrics,
    "text": TextMetrics,
    "number": NumberMetrics,
    "category": CategoryMetrics,
    "boolean": CategoryMetrics,
    "tags": TagsMetrics,
    "datetime": DatetimeMetrics,
    "duration": DurationMetrics,
}
"""Column type -> its entry."""


def column_metrics(modality: Modality) -> ColumnMetrics:
    """The entry of a column's type, the generic one where it has none."""
    return BY_TYPE.get(modality.type, ColumnMetrics)(modality)
