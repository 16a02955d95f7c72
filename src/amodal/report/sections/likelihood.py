"""How well each column's held-out cells are foreseen."""

from __future__ import annotations

import math

import numpy as np
import torch

from amodal.distributions import RowNoise
from amodal.metrics import bootstrap, need_rows, subsample
from amodal.report.context import LIKELIHOOD, ROWS_AT_ONCE, Evidence
from amodal.report.metric import Notes, reading
from amodal.report.results import ColumnLikelihood

_MOST_ROWS = 100
_SAMPLES, _AT_ONCE = 30, 10
_LEAST = 10


def likelihood(evidence: Evidence, notes: Notes) -> list[ColumnLikelihood]:
    """Bits that each column's cells cost by themselves, a dimension: an importance-weighted upper bound.

    Source: Burda, Grosse & Salakhutdinov, "Importance weighted autoencoders", ICLR 2016; up to 100 rows, since each
    is decoded 30 times.
    """
    parts = []
    for number, (name, modality) in enumerate(evidence.modalities.items()):
        rows = evidence.stored.given([name])[evidence.stored.mask(name)]
        with notes.attempt("likelihood", name):
            need_rows(len(rows), _LEAST, "present cells")
            chosen = rows[subsample(len(rows), evidence.seed, _MOST_ROWS)]
            seed = evidence.noise_seed(LIKELIHOOD, number)
            nats = torch.cat(
                [
                    evidence.model.log_prob(
                        piece.to(evidence.model.device),
                        RowNoise(seed, piece.rows.to(evidence.model.device)),
                        _SAMPLES,
                        _AT_ONCE,
                    ).cpu()
                    for piece in chosen.split(ROWS_AT_ONCE)
                ]
            )
            bits = -nats.double().numpy() / (math.log(2) * modality.size)
            score = bootstrap(
                lambda drawn, bits=bits: float(np.mean(bits[drawn])),  # type: ignore[misc]
                len(bits),
                seed=evidence.seed,
                subsampled=len(bits) < len(rows),
            )
            parts.append(
                ColumnLikelihood(
                    column=name,
                    bits=reading(
                        "likelihood",
                        score,
                        better="lower",
                        unit="bits per dimension",
                        says="What a cell costs by itself; only models with the same representation compare.",
                        cut=evidence.cut,
                    ),
                    dimensions=modality.size,
                    given=[],
                )
            )
    return parts
