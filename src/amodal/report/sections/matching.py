"""Matching accuracy of two columns, which the sections on pairs and on whole rows report."""

from __future__ import annotations

import numpy as np

from amodal.metrics import Metric, PairMatching
from amodal.report.context import ReportContext
from amodal.report.section import Result


class PairScore(Result):
    """How often a target cell is matched to the given cell of its row, rather than to another's.

    Attributes:
        given: the given column.
        target: the column that is drawn from it alone; of whole generated rows, the other column.
        score: 0.5 by chance, 1 always; the ceiling is real rows, the floor these shuffled.
        is_informative: whether real rows match beyond chance; otherwise no model can be measured by the pair.
        relative: from chance, 0, to real rows, 1, clipped; None where the pair is not informative.
    """

    given: str
    target: str
    score: Metric
    is_informative: bool
    relative: float | None


def pair_score(context: ReportContext, given: str, target: str, found: PairMatching) -> PairScore:
    """The score of two columns."""
    return PairScore(
        given=given,
        target=target,
        score=matching_metric(context, found),
        is_informative=found.is_informative,
        relative=float(np.clip(found.relative, 0, 1)) if found.is_informative else None,
    )


def matching_metric(context: ReportContext, found: PairMatching) -> Metric:
    """Matching accuracy between that of shuffled and of real rows."""
    return context.metric(
        found.generated,
        "matching accuracy",
        better="higher",
        description="How often a cell is matched to its own row's rather than another's; 0.5 by chance.",
        ceiling=found.real,
        floor=found.shuffled,
        floor_kind="shuffled",
    )
