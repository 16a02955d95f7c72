"""Do columns agree: each drawn from each other one, and in whole generated rows?"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from torch import Tensor

from amodal.metrics import PairMatching, mean_matching, pair_matching
from amodal.report.context import TRANSLATION, Evidence, completed
from amodal.report.metric import Notes, reading
from amodal.report.results import PairScore, Reading, WholeRows

Translations = Mapping[str, Mapping[str, Tensor]]
"""Given column -> target column -> scaled cells, one for each judged row that has the given cell."""

_SAYS = "How often a cell is matched to its own row's rather than another's; 0.5 by chance."


def translate(evidence: Evidence) -> Translations:
    """Draw all other columns from each column alone."""
    drawn = {}
    for number, given in enumerate(evidence.modalities):
        rows = evidence.stored.given([given])[evidence.stored.mask(given)]
        targets = [name for name in evidence.modalities if name != given]
        if len(rows) and targets:
            seed = evidence.noise_seed(TRANSLATION, number)
            drawn[given] = completed(evidence.model, rows, targets, seed)
    return drawn


def pair_scores(evidence: Evidence, drawn: Translations, notes: Notes) -> list[PairScore]:
    """The any-to-any matrix: how well cells belong to the one cell that they were drawn from."""
    scores = []
    for given, cells in drawn.items():
        known = evidence.stored.mask(given).numpy()
        for target, made in cells.items():
            matcher = evidence.matcher(given, target)
            if matcher is None:
                continue
            real = evidence.vectors["judged"]
            with notes.attempt("coherence", f"{given} -> {target}"):
                found = pair_matching(
                    matcher,
                    (real[given][known], evidence.features[target](made)),
                    (real[given], real[target]),
                    seed=evidence.seed,
                )
                scores.append(_pair(given, target, found, evidence))
    return scores


def whole_rows(evidence: Evidence, notes: Notes) -> WholeRows:
    """How well the columns of generated rows belong to each other."""
    found: dict[tuple[str, str], PairMatching] = {}
    made, real = evidence.vectors["generated"], evidence.vectors["judged"]
    for (given, target), matcher in evidence.matchers.items():
        with notes.attempt("coherence of whole rows", f"{given} and {target}"):
            found[given, target] = pair_matching(
                matcher, (made[given], made[target]), (real[given], real[target]), seed=evidence.seed
            )
    mean = None
    with notes.attempt("coherence of whole rows"):
        mean = _reading(mean_matching(found.values()), evidence)
    return WholeRows(
        score=mean, pairs=[_pair(given, target, pair, evidence) for (given, target), pair in found.items()]
    )


def _pair(given: str, target: str, found: PairMatching, evidence: Evidence) -> PairScore:
    return PairScore(
        given=given,
        target=target,
        score=_reading(found, evidence),
        is_informative=found.is_informative,
        scaled=float(np.clip(found.relative, 0, 1)) if found.is_informative else None,
    )


def _reading(found: PairMatching, evidence: Evidence) -> Reading:
    return reading(
        "coherence",
        found.generated,
        better="higher",
        says=_SAYS,
        ceiling=found.real,
        floor=found.shuffled,
        floor_is="shuffled",
        cut=evidence.cut,
    )
