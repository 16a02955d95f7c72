"""Whole rows: matching accuracy of the columns of rows drawn with nothing given."""

from __future__ import annotations

from typing import Any

from amodal.metrics import Metric, PairMatching, mean_matching, pair_matching
from amodal.report.context import ReportContext
from amodal.report.page.view import PageView
from amodal.report.section import Result, Section
from amodal.report.sections.pairs import PairScore, matching_metric, pair_score

_ROWS = 6


class WholeRows(Result):
    """Matching accuracy of generated rows.

    Attributes:
        score: mean over the informative pairs; None where there is none.
        pairs: each two columns, once.
    """

    score: Metric | None
    pairs: list[PairScore]


def compute(context: ReportContext) -> WholeRows:
    """Match the columns of generated rows."""
    found: dict[tuple[str, str], PairMatching] = {}
    generated, real = context.vectors["generated"], context.vectors["evaluated"]
    for (given, target), matcher in context.matchers.items():
        with context.optional("matching accuracy of whole rows", f"{given} and {target}"):
            found[given, target] = pair_matching(
                matcher, (generated[given], generated[target]), (real[given], real[target]), seed=context.seed
            )
    score = None
    with context.optional("matching accuracy of whole rows"):
        score = matching_metric(context, mean_matching(found.values()))
    return WholeRows(score=score, pairs=[pair_score(context, *pair, each) for pair, each in found.items()])


def view(_: WholeRows, page: PageView) -> dict[str, Any]:
    """Some generated rows, all cells of each."""
    examples = page.examples.generated[: min(_ROWS, page.detail.cells)]
    return {
        "rows": [
            [page.cell(name, example.cells.get(name), "drawn") for name in page.columns]
            for example in examples
        ]
    }


SECTION = Section("rows", "Whole rows", compute, view)
