"""Likelihood of each column's held-out cells."""

from __future__ import annotations

import math

import numpy as np

from amodal.inference import log_prob
from amodal.metrics import Metric, MetricUnavailable, bootstrap, need_rows, subsample
from amodal.report.context import Purpose, ReportContext
from amodal.report.section import Result, Section

_MOST_ROWS = 100
_SAMPLES = 30
_LEAST = 10


class ColumnLikelihood(Result):
    """Negative log-likelihood of a column's held-out cells.

    Attributes:
        column: its name.
        bits: mean of -log2 p(cell) / dimensions, an upper bound. Densities of images, sounds and numbers are of scaled
            tensors, so that only models with the same representation compare, and may be below zero.
        dimensions: numbers or words in a cell.
    """

    column: str
    bits: Metric
    dimensions: float


def compute(context: ReportContext) -> list[ColumnLikelihood]:
    """Importance-weighted upper bound of each column's bits per dimension, with nothing given.

    Source: Burda, Grosse & Salakhutdinov, "Importance weighted autoencoders", ICLR 2016; up to 100 rows, since each
    is decoded 30 times.
    """
    columns = context.per_column("likelihood", _column, context.modalities)
    if not columns:
        raise MetricUnavailable("no column has enough cells")
    return columns


def _column(context: ReportContext, name: str) -> ColumnLikelihood:
    stored, model, size = context.rows.evaluated, context.model, context.modalities[name].size
    rows = stored.given([name])[stored.mask(name)]
    need_rows(len(rows), _LEAST, "present cells")
    seed = context.noise_seed(Purpose.LIKELIHOOD, list(context.modalities).index(name))
    evaluated = rows[subsample(len(rows), context.seed, _MOST_ROWS)]
    nats = log_prob(model, evaluated, num_samples=_SAMPLES, seed=seed)
    bits = -nats.astype(np.float64) / (math.log(2) * size)
    estimate = bootstrap(
        lambda drawn: float(np.mean(bits[drawn])),
        len(bits),
        seed=context.seed,
        subsampled=len(bits) < len(rows),
    )
    metric = context.metric(
        estimate,
        name,
        better="lower",
        unit="bits per dimension",
        description="Only models with the same representation compare.",
    )
    return ColumnLikelihood(column=name, bits=metric, dimensions=size)


SECTION = Section("likelihood", "Likelihood", compute)
