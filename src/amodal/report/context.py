"""Rows, draws and features that the sections of a report share, computed when first asked for."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from enum import IntEnum
from functools import cached_property
from typing import Any, Literal

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from torch import Tensor

from amodal.batch import Batch
from amodal.errors import UsageError
from amodal.inference import complete, embed
from amodal.metrics import (
    Cells,
    ColumnFeatures,
    ColumnMetrics,
    Copying,
    Estimate,
    FeatureBlock,
    Matcher,
    Metric,
    MetricUnavailable,
    Vectors,
    column_metrics,
    column_vectors,
    copying,
    fit_features,
    fit_fidelity_features,
    fit_matchers,
    row_vectors,
    scaled_batch,
    subsample,
    with_holes_of,
)
from amodal.modalities import Modality
from amodal.models import GenerativeModel
from amodal.persistence import FittedModel
from amodal.report.rows import RealRows, real_rows
from amodal.report.section import Result
from amodal.table import BadCellPolicy, Table, encode

_TRAINING_ROWS_AT_ONCE = 1_024
_MOST_TRAINING = 20_000
_DRAWS = 19
"""The range of 19 draws has a nominal coverage of 90 %."""

Which = Literal["evaluated", "reference", "generated"]


class Purpose(IntEnum):
    """Purpose of draws, so that no two have the same noise."""

    GENERATION = 0
    TRANSLATION = 1
    COMPLETION = 2
    LIKELIHOOD = 3
    TARGET = 4
    MEMBERSHIP = 5


class UnavailableMetric(Result):
    """A metric that could not be computed.

    Attributes:
        metric: such as "privacy", "completion".
        of: the column, or "given -> target"; empty for one of whole rows.
        reason: completes the sentence "unavailable because ...".
    """

    metric: str
    of: str = ""
    reason: str


class ReportContext:
    """Input of all sections. Metrics need real rows to fit features, matchers and imputers to, and others.

    The first are training rows where they are given, and else one half of the held-out rows.

    Args:
        fitted: the model.
        heldout: rows that it was not fitted to.
        training: the rows that it was fitted to.
        target: the target column, if any.
        seed: of draws, splits, subsamples and intervals.
        bad_cells: "error" refuses cells that cannot be read; "missing" takes them as missing.

    Attributes:
        rows: real rows as the model takes them.
        unavailable: the metrics that could not be computed.
        started: `time.monotonic` of the beginning.

    Raises:
        UsageError: the model has no such target.
        DataError: a table has none of the model's columns, or cells that cannot be used.
    """

    def __init__(
        self,
        fitted: FittedModel,
        heldout: Table,
        *,
        training: Table | None = None,
        target: str | None = None,
        seed: int = 0,
        bad_cells: BadCellPolicy = "error",
    ) -> None:
        modalities = fitted.model.modalities
        if target is not None and target not in modalities:
            raise UsageError(f"The model has no column {target!r}. Choose from {', '.join(modalities)}.")
        self.fitted, self.heldout, self.training = fitted, heldout, training
        self.target, self.seed = target, seed
        self.started = time.monotonic()
        self.rows: RealRows = real_rows(heldout, training, modalities, seed=seed, bad_cells=bad_cells)
        self.unavailable: list[UnavailableMetric] = []
        self._completions: dict[str, Tensor] = {}

    @property
    def model(self) -> GenerativeModel:
        """The evaluated model."""
        return self.fitted.model

    @property
    def modalities(self) -> Mapping[str, Modality]:
        """The model's columns."""
        return self.model.modalities

    def column(self, name: str) -> ColumnMetrics:
        """The metrics of a column's type."""
        return column_metrics(self.modalities[name])

    @cached_property
    def evaluated(self) -> Batch:
        """Scaled real rows that the model is evaluated on."""
        return scaled_batch(self.rows.evaluated, self.modalities)

    @cached_property
    def reference(self) -> Batch:
        """Scaled real rows that features, matchers and classifiers are fitted to."""
        return scaled_batch(self.rows.reference, self.modalities)

    @cached_property
    def generated(self) -> Batch:
        """As many scaled rows as evaluated ones, drawn with nothing given."""
        rows = self.rows.evaluated
        blank = Batch(rows.x, torch.zeros_like(rows.present), torch.arange(len(rows)))
        return Batch(self.draw(blank, self.modalities, Purpose.GENERATION), ~blank.present, blank.rows)

    @cached_property
    def generated_with_holes(self) -> Batch:
        """Generated rows with the missingness of evaluated ones."""
        return with_holes_of(self.generated, self.evaluated, self.seed)

    @cached_property
    def features(self) -> dict[str, ColumnFeatures]:
        """Features of each column with at least 2 reference cells."""
        features = {}
        for name, modality in self.modalities.items():
            with self.optional("features", name):
                features[name] = fit_features(modality, self.reference.column(name), seed=self.seed)
        return features

    @cached_property
    def fidelity_features(self) -> dict[str, ColumnFeatures]:
        """Features of each column of `features` that see fine detail, and a table's own words, too."""
        return {
            name: fit_fidelity_features(
                self.modalities[name], self.table_cells("reference", name), seed=self.seed
            )
            for name in self.features
        }

    @cached_property
    def blocks(self) -> dict[str, FeatureBlock]:
        """Features of each column of reference and of evaluated rows, as inputs of scikit-learn models."""
        return {
            name: self.column(name).fit_block(
                (self.table_cells("reference", name), self.reference.mask(name).numpy()),
                (self.table_cells("evaluated", name), self.evaluated.mask(name).numpy()),
            )
            for name in self.features
        }

    def table_cells(self, which: Literal["evaluated", "reference"], name: str) -> Cells:
        """A column's present cells (P, ...) in real rows, as they are compared; see `ColumnMetrics.table_cells`."""
        batch = self.evaluated if which == "evaluated" else self.reference
        table = self.training if which == "reference" and self.training is not None else self.heldout
        numbers = batch.rows[batch.mask(name)].numpy()
        originals = table.frame[name].iloc[numbers] if len(numbers) else pd.Series(dtype=object)
        return self.column(name).table_cells(batch.column(name), originals)

    @cached_property
    def vectors(self) -> dict[Which, dict[str, Vectors]]:
        """Vectors (N, F) of each column that has features, NaN where a cell is missing."""
        return {
            "evaluated": column_vectors(self.features, self.evaluated),
            "reference": column_vectors(self.features, self.reference),
            "generated": column_vectors(self.features, self.generated),
        }

    @cached_property
    def matchers(self) -> dict[tuple[str, str], Matcher]:
        """Matchers of each two columns, (given, target), the given being the first in the table."""
        matchers, reasons = fit_matchers(self.vectors["reference"], seed=self.seed)
        for (given, target), reason in reasons.items():
            self.note("matching accuracy", reason, f"{given} and {target}")
        return matchers

    def matcher(self, given: str, target: str) -> Matcher | None:
        """The matcher of two columns in this order, None where there is none."""
        if (given, target) in self.matchers:
            return self.matchers[given, target]
        other = self.matchers.get((target, given))
        return other and Matcher(other.target, other.given, other.correlations)

    @cached_property
    def translations(self) -> dict[str, dict[str, Tensor]]:
        """Given column -> each other column drawn from it, scaled, for each evaluated row that has the given cell."""
        translations = {}
        for number, given in enumerate(self.modalities):
            rows = self.rows.evaluated.given([given])[self.rows.evaluated.mask(given)]
            targets = [name for name in self.modalities if name != given]
            if len(rows) and targets:
                translations[given] = self.draw(rows, targets, Purpose.TRANSLATION, number)
        return translations

    def completions(self, name: str) -> Tensor:
        """Draws (N, K, ...) of a column's present evaluated cells given the others; K is 19 for scalars, else 1."""
        if name not in self._completions:
            rows = self.rows.evaluated[self.rows.evaluated.mask(name)]
            given = rows.given(other for other in self.modalities if other != name)
            number = 100 * list(self.features).index(name)
            self._completions[name] = torch.stack(
                [
                    self.draw(given, [name], Purpose.COMPLETION, number + draw)[name]
                    for draw in range(_DRAWS if self.column(name).is_scalar else 1)
                ],
                dim=1,
            )
        return self._completions[name]

    @cached_property
    def copying(self) -> Copying:
        """Copies of training rows among generated ones; `nearest` are row numbers in the training table.

        Raises:
            MetricUnavailable: training rows are unknown, or there are too few.
        """
        if self.training is None:
            raise MetricUnavailable("it needs the training rows, which a model does not hold")
        rows = subsample(len(self.training), self.seed, _MOST_TRAINING)
        starts = range(0, len(rows), _TRAINING_ROWS_AT_ONCE)
        batches = (self.training_batch(rows[at : at + _TRAINING_ROWS_AT_ONCE]) for at in starts)
        training = np.concatenate([row_vectors(self.features, batch) for batch in batches])
        evaluated, generated = (
            row_vectors(self.features, batch) for batch in (self.evaluated, self.generated_with_holes)
        )
        subsampled = len(rows) < len(self.training)
        found = copying(training, evaluated, generated, seed=self.seed, subsampled=subsampled)
        return replace(found, nearest=rows[found.nearest])

    def training_batch(self, rows: NDArray[np.int64]) -> Batch:
        """Scaled rows of the training table by their numbers (N,), which may repeat."""
        assert self.training is not None  # noqa: S101  (`copying` has refused it)
        distinct, places = np.unique(rows, return_inverse=True)
        batch = encode(self.training, self.modalities, distinct, bad_cells="missing")
        return scaled_batch(batch, self.modalities)[places]

    @cached_property
    def latent_pca(self) -> tuple[NDArray[np.float64], tuple[float, float]]:
        """The first 2 principal components (N, 2) of the evaluated rows' embeddings, and their explained variance."""
        embedding = embed(self.model, self.rows.evaluated)
        points, explained = np.zeros((len(embedding), 2)), np.zeros(2)
        pca = PCA(min(2, *embedding.shape), random_state=self.seed)
        # Of embeddings that are all the same, the explained variance ratio is 0/0.
        with np.errstate(invalid="ignore"):
            points[:, : pca.n_components] = pca.fit_transform(embedding)
        explained[: pca.n_components] = np.nan_to_num(pca.explained_variance_ratio_)
        return points, (float(explained[0]), float(explained[1]))

    def draw(
        self, batch: Batch, targets: Iterable[str], purpose: Purpose, number: int = 0
    ) -> dict[str, Tensor]:
        """Draw the target columns given the present cells, scaled, of any number of rows."""
        return complete(self.model, batch, targets, seed=self.noise_seed(purpose, number))

    def noise_seed(self, purpose: Purpose, number: int = 0) -> int:
        """A seed for each purpose and number of a draw."""
        return self.seed + ((purpose * 100_000 + number + 1) << 32)

    def metric(
        self,
        estimate: Estimate,
        name: str,
        *,
        ceiling: Estimate | None = None,
        floor: Estimate | None = None,
        floor_kind: str = "",
        **about: Any,
    ) -> Metric:
        """A metric of the evaluated rows; see `Metric`."""
        return Metric(
            **vars(self._estimate(estimate)),
            name=name,
            ceiling=ceiling and self._estimate(ceiling),
            floor=floor and self._estimate(floor),
            floor_kind=floor_kind if floor else "",
            **about,
        )

    def _estimate(self, estimate: Estimate) -> Estimate:
        subsampled = estimate.subsampled or self.rows.subsampled
        return Estimate(estimate.value, estimate.rows, estimate.low, estimate.high, subsampled)

    @staticmethod
    def try_estimate(estimate: Callable[[], Estimate]) -> Estimate | None:
        """An estimate of a ceiling or floor; None where it is unavailable."""
        try:
            return estimate()
        except MetricUnavailable:
            return None

    def per_column(
        self, metric: str, compute: Callable[[ReportContext, str], Any], columns: Iterable[str]
    ) -> list[Any]:
        """Compute a metric of each column; those that are unavailable are recorded and left out."""
        results = []
        for name in columns:
            with self.optional(metric, name):
                results.append(compute(self, name))
        return results

    def note(self, metric: str, reason: str, of: str = "") -> None:
        """Record a metric as unavailable."""
        self.unavailable.append(UnavailableMetric(metric=metric, of=of, reason=reason))

    @contextmanager
    def optional(self, metric: str, of: str = "") -> Iterator[None]:
        """Record the metric as unavailable where the block raises `MetricUnavailable`."""
        try:
            yield
        except MetricUnavailable as reason:
            self.note(metric, str(reason), of)
